"""The files, parsed back, against the network: translation validation, and the verdict of the real tools.

Guarantees: nothing that was handed to a template is trusted; a file that could not be read, or that differs, is refuted with its
name and line; a tool that is missing proves nothing and is named.
"""

from ztosc.prove.files import prove
from ztosc.prove.tools import ToolResult, Tools, real_tools

__all__ = ["ToolResult", "Tools", "prove", "real_tools"]
