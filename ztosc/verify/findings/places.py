"""Findings about what is declared: data that nobody classified, authority beside strangers, proof that is weaker than what it opens.

Guarantees: judged from declarations and from which rules name them, without deciding any flow.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.diagnostics import Diagnostic, Severity
from ztosc.ir.evaluate import Policy
from ztosc.ir.intent import Segment
from ztosc.verify import words


def find(policy: Policy) -> Iterator[Diagnostic]:
    """Segments without a label, and masters of the directory on nodes that strangers plug into."""
    for segment in policy.intent.segments:
        if not segment.carries:
            yield _unlabelled(segment)
    for node in policy.intent.nodes:
        if "directory" in node.serves and node.attachments:
            ports = words.listing(f"`{name}`" for name in sorted({each.port for each in node.attachments}))
            yield Diagnostic(
                "ZT449",
                f"node `{node.name}` holds a master of the directory and has endpoints on {ports}",
                node.origin,
                help="let a node without endpoints serve `directory`, and this one `replica`, which cannot write",
                severity=Severity.WARNING,
            )


def _unlabelled(segment: Segment) -> Diagnostic:
    return Diagnostic(
        "ZT447",
        f"segment `{segment.name}` carries no label, so no promise about data covers it",
        segment.origin,
        help="say what is in it: `carries public`, `carries internal`, or a label of your own",
        severity=Severity.WARNING,
    )
