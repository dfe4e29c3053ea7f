"""NodeSpec, or the network with its nodes' files → typed target model → files, and back.

Guarantees: a backend's templates only print; `read(render(lower(spec))) == lower(spec)` for every spec; a file's path is one that the
target's manifest declares; the same specs give the same bytes.
"""

from ztosc.backends.base import (
    Artifact,
    Backend,
    BackendFault,
    Bundle,
    BundleFile,
    NetworkBackend,
    NetworkSpec,
    ReadFault,
    render,
    render_network,
)
from ztosc.backends.registry import backends, network_backends, targets

__all__ = [
    "Artifact",
    "Backend",
    "BackendFault",
    "Bundle",
    "BundleFile",
    "NetworkBackend",
    "NetworkSpec",
    "ReadFault",
    "backends",
    "network_backends",
    "render",
    "render_network",
    "targets",
]
