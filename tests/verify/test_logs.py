"""`log all` is a way that data takes: records of flows rest where the sink is."""

from __future__ import annotations

import pytest

from tests.support import AT
from ztosc.compiler import compile_project, verify_network
from ztosc.ir.network import Network
from ztosc.source import MemoryLoader
from ztosc.verify import reference

TEXT = """import std.hipaa
network n {{ domain "n.example"; prefix fd00:77::/48{log} }}
region home {{ country DE }}
region away {{ country US }}
site s in home {{ node g {{ underlay 2001:db8::1; serves gateway, resolver }} }}
site t in away {{ node h {{ underlay 2001:db8::2; serves gateway }} }}
link g -- h
segment desks {{ at s; carries internal; within DE }}
segment vault {{ at s; carries phi; within DE }}
segment logs {{ at t; carries internal }}
service sink on logs {{ listen tcp/514 }}
allow desks to vault on tcp/443{own}
assert phi stays within DE
"""


def network(log: str = "", own: str = "") -> Network:
    found = compile_project(MemoryLoader({"network.ztos": TEXT.format(log=log, own=own).encode()}), AT)
    assert found.network is not None, found.diagnostics
    return found.network


@pytest.mark.parametrize("judge", [verify_network, reference.verify])
@pytest.mark.parametrize(("log", "own"), [("; log all to sink", ""), ("", " { log to sink }")])
def test_records_of_flows_leave_with_the_data(judge: object, log: str, own: str) -> None:
    assert callable(judge)
    (kept,) = judge(network())
    (gone,) = judge(network(log, own))
    assert (kept.verdict, gone.verdict) == ("proved", "refuted")
    assert "`sink`" in gone.reason
