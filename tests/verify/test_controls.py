"""Controls of a profile: none passes unjudged, a waiver of all of one takes it out, and what is manual is told as such."""

from __future__ import annotations

from tests.support import AT
from ztosc.compiler import compile_project
from ztosc.ir.intent import Intent
from ztosc.source import MemoryLoader
from ztosc.verify.controls import controls, states

TEXT = """
network n { domain "n.example" }
region home { country DE }
site s in home { node g { underlay 2001:db8::1; serves gateway } }
segment desks { at s }
segment vault { at s; carries internal }
profile house over internal {
  control "H-1" error "Somebody is named" {
    each flow f where f.target carries internal
    require f.subject is role
  }
  control "H-2" error "Links are shut" {
    each link l where l may carry internal
    require l.encryption >= hop
  }
  control "H-3" info "Yearly report" { manual "attach the report" }
  control "H-4" info "Yearly visit" { manual "attach the minutes" }
}
profile other over internal {
  control "O-1" error "Links are shut" {
    each link l where l may carry internal
    require l.encryption >= hop
  }
}
"""
WAIVED = 'until 2027-03-01 because "later"\n'


def intent(lines: str) -> Intent:
    result = compile_project(MemoryLoader({"network.ztos": (TEXT + lines).encode()}), AT)
    assert result.intent is not None and not result.failed, [item.message for item in result.diagnostics]
    return result.intent


def judged(lines: str) -> list[str]:
    return [f"{each.property} {each.verdict}" for each in controls(intent(lines))]


def told(lines: str) -> list[tuple[str, str, str]]:
    return [(profile, control.name, state) for profile, control, state in states(intent(lines))]


def test_nothing_is_judged_that_nobody_complies_with() -> None:
    assert judged("") == [] and told("") == []


def test_each_control_that_a_machine_could_judge_has_a_verdict_which_is_not_proved() -> None:
    assert judged("comply house\n") == ["house H-1 unsupported", "house H-2 unsupported"]
    (first, _) = controls(intent("comply house\n"))
    assert first.kind == "control" and first.statement == "house H-1: Somebody is named" and first.origin.line == TEXT.count("\n") + 1


def test_a_waiver_of_all_of_a_control_takes_it_out_in_its_profile_alone() -> None:
    lines = f'comply house\ncomply other\nwaive house "H-2" {WAIVED}waive house "H-4" {WAIVED}waive other "O-1" {WAIVED}'
    assert judged(lines) == ["house H-1 unsupported"]
    assert told(lines) == [("house", "H-2", "waived"), ("house", "H-3", "manual"), ("house", "H-4", "waived"), ("other", "O-1", "waived")]


def test_a_waiver_for_one_segment_leaves_the_control_to_be_judged() -> None:
    lines = f'comply house\nwaive house "H-2" for vault {WAIVED}'
    assert judged(lines) == ["house H-1 unsupported", "house H-2 unsupported"]
    assert told(lines) == [("house", "H-3", "manual"), ("house", "H-4", "manual")]


def test_two_profiles_are_kept_apart() -> None:
    assert judged("comply house\ncomply other\n")[-1] == "other O-1 unsupported"
    assert {profile for profile, _, _ in told("comply other\n")} == set()
