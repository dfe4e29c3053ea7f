"""Controls of the profiles that a network complies with.

Guarantees: no control passes without having been judged. This version reads controls and judges none: each one that a machine could judge
is `unsupported`, and what is manual or waived is not among the verdicts.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.ir.compliance import Control, Profile
from ztosc.ir.intent import Intent
from ztosc.ir.verdict import Verdict


def controls(intent: Intent) -> tuple[Verdict, ...]:
    """A verdict for each control that has to be judged, by profile and in its order."""
    profiles = {profile.name: profile for profile in intent.profiles}
    found = (profiles[each.profile] for each in intent.compliance if each.profile in profiles)
    return tuple(verdict for profile in found for verdict in _of(profile, intent))


def _of(profile: Profile, intent: Intent) -> Iterator[Verdict]:
    waived = {each.control for each in intent.waivers if each.profile == profile.name and not each.scope}
    origin = next(each.origin for each in intent.compliance if each.profile == profile.name)
    for control in profile.controls:
        if control.require is not None and control.name not in waived:
            yield Verdict(
                kind="control",
                property=f"{profile.name} {control.name}",
                statement=f"{profile.name} {control.name}: {control.title}",
                origin=origin,
                verdict="unsupported",
                reason="this version reads controls and does not judge them yet",
            )


def states(intent: Intent) -> tuple[tuple[str, Control, str], ...]:
    """Profile, control and state of the controls that nobody has to judge: `manual` asks for evidence, `waived` for nothing until then."""
    profiles = {profile.name: profile for profile in intent.profiles}
    found: list[tuple[str, Control, str]] = []
    for each in intent.compliance:
        waived = {waiver.control for waiver in intent.waivers if waiver.profile == each.profile and not waiver.scope}
        for control in profiles[each.profile].controls if each.profile in profiles else ():
            if control.name in waived:
                found.append((each.profile, control, "waived"))
            elif control.require is None:
                found.append((each.profile, control, "manual"))
    return tuple(found)
