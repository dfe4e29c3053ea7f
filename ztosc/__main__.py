"""`python -m ztosc` is the `ztosc` command."""

import sys

from ztosc.cli import main

if __name__ == "__main__":
    sys.exit(main())
