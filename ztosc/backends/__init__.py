"""NodeSpec → typed target model → files, and back.

Guarantees: a backend's templates only print; `read(render(lower(spec))) == lower(spec)` for every spec; a file's path is one that the
target's manifest declares; the same specs give the same bytes.
"""

from ztosc.backends.base import Artifact, Backend, BackendFault, Bundle, BundleFile, ReadFault, render
from ztosc.backends.registry import backends

__all__ = ["Artifact", "Backend", "BackendFault", "Bundle", "BundleFile", "ReadFault", "backends", "render"]
