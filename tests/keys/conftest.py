"""The command line, as in tests/cli."""

from tests.cli.conftest import ztosc

__all__ = ["ztosc"]
