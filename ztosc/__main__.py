"""`python -m ztosc` is the `ztosc` command."""

from ztosc.cli import main

if __name__ == "__main__":
    main()
