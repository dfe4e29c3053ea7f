"""Why a packet is refused, in the words of the log: by what a rule asks, by the place at which it stands, or by the rules of the policy.

Guarantees: a line's prefix has at most 127 bytes; each reason has a limit and a counter of its own.
"""

from __future__ import annotations

from ztosc.backends.nftables.model import Chain

DENY = "goto zt_deny"
"""Each refusal goes to the chain that says its reason: `refusal`."""
REASONS = (("ct state invalid", "state"), ("@zt_underlay", "underlay"), ("@zt_strangers", "domain"))
"""By what a rule asks."""
PLACES = (
    ("zt_guard", "source"),
    ("zt_neighbours", "source"),
    ("zt_from_", "source"),
    ("zt_translated", "translated"),
    ("zt_input", "node"),
    ("zt_output", "node"),
    ("zt_destination", "arrival"),
    ("zt_reply", "answer"),
    ("zt_original", "grant"),
    ("zt_source", "grant"),
    ("zt_outside", "grant"),
    ("zt_forward", "flow"),
)
"""Otherwise by how the name of the chain begins."""
PREFIX_BYTES = 127
LOGGED = "limit rate 5/second burst 20 packets log prefix"


def refusal(chain: str, rule: str) -> str:
    """A rule with the reason for which it refuses, where it does."""
    if not rule.endswith(DENY):
        return rule
    asked = [reason for words, reason in REASONS if words in rule]
    placed = [reason for name, reason in PLACES if chain.startswith(name)]
    return "_".join([rule, *[*asked, *placed][:1]])


def refusals(told: tuple[Chain, ...]) -> list[str]:
    """The chains that rules refuse by."""
    return sorted({rule.rpartition("goto ")[2] for chain in told for rule in chain.rules if DENY in rule})


def denying(name: str, head: str, rules: tuple[str, ...] = ()) -> Chain:
    """The chain of a reason. Each has a limit of its own, so that a flood of one leaves room for the others."""
    return Chain(name=name, rules=(f'{LOGGED} "{prefix(rules, head)}"', "counter drop"))


def prefix(rules: tuple[str, ...], head: str = "zt-rule") -> str:
    """What stands in front of a line in the log: as many rules as fit, and how many more there are."""
    most = min(len(rules), PREFIX_BYTES // 2)  # a word and a blank each
    for count in range(most, -1 if not rules else 0, -1):
        words = [head, *rules[:count], *([f"+{len(rules) - count}"] if count < len(rules) else [])]
        if len(said := f"{' '.join(words)} ") <= PREFIX_BYTES:
            return said
    raise ValueError(f"{rules[0]!r} is too long for a log")
