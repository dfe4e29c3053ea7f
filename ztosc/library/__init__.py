"""The standard library as pages: modules, what each declares, and the signature and documentation of all of it.

Guarantees: made from the sources alone, so that a page cannot say what the module does not; in the order of the sources.
"""

from ztosc.library.page import Entry, Page, find, pages
from ztosc.library.render import FORMATS, listing, render

__all__ = ["FORMATS", "Entry", "Page", "find", "listing", "pages", "render"]
