"""ztosc: from written intent to proven configuration of a zero-trust overlay network.

Importing this package loads nothing else, so that asking for the version costs nothing.
"""

__version__ = "0.1.0"
