"""A bundle that means the network is proved; whatever is changed in its files is caught, with file and line."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.backends.cases import CASES
from tests.nodes import networks as n
from ztosc.backends import Bundle, backends, network_backends, render, render_network, targets
from ztosc.backends.manifest import ProofFile
from ztosc.backends.nftables import Nftables
from ztosc.ir.network import Network
from ztosc.ir.verdict import Verdict
from ztosc.nodes import project
from ztosc.nodes.contract_spec import Opening
from ztosc.prove import Tools, prove, real_tools

RULESET = "nodes/edge-1/nftables/ruleset.nft"
CONF = "nodes/edge-1/bind/named.conf"
ZONE = "nodes/edge-1/bind/zones/mercy.example.zone"


def built(network: Network) -> Bundle:
    return render_network(network, render(project(network), backends()), network_backends())


def refuted(network: Network, bundle: Bundle, tools: Tools | None = None) -> list[Verdict]:
    return [verdict for verdict in prove(network, project(network), bundle, tools) if verdict.verdict != "proved"]


def changed(bundle: Bundle, path: str, old: str, new: str) -> Bundle:
    """The bundle with the first match of a pattern in one file replaced."""
    files = []
    for file in bundle.files:
        content = file.artifact.content
        if file.path == path:
            text, count = re.subn(old, new, content.decode(), count=1, flags=re.S)
            assert count == 1 and text != content.decode()
            content = text.encode()
        files.append(replace(file, artifact=replace(file.artifact, content=content)))
    return Bundle(tuple(files))


@pytest.mark.parametrize("case", CASES)
def test_what_was_built_is_proved(case: str) -> None:
    network = CASES[case]()
    verdicts = prove(network, project(network), built(network), real_tools())
    assert {verdict.verdict for verdict in verdicts} == {"proved"}
    assert {"bundle", "read-back", "enforcement", "names"} <= {verdict.property for verdict in verdicts}
    executed = [verdict for verdict in verdicts if verdict.property == "executed"]
    assert len(executed) == (len(project(network)) if real_tools().usable("nft") else 0)


MUTATIONS = {
    "an open policy": (RULESET, "hook forward priority -5; policy drop", "hook forward priority -5; policy accept"),
    "another priority": (RULESET, "priority -5", "priority 5"),
    "another hook": (RULESET, "hook input", "hook prerouting"),
    "a wider address": (RULESET, r"fd3c:91a2:77e0:1::200 \. 6 \. 8883", "fd3c:91a2:77e0:1::200-fd3c:91a2:77e0:1::201 . 6 . 8883"),
    "another port": (RULESET, r"6 \. 8883", "6 . 8884"),
    "another protocol": (RULESET, r"\. 6 \. 8883", ". 17 . 8883"),
    "no condition": (RULESET, r"443 : goto zt_c_\w+", "443 : accept"),
    "another condition": (RULESET, r"22 : goto zt_c_39\w+", "22 : goto zt_c_3eedc92c4108"),
    "an element more": (RULESET, r"(map zt_grants \{.*?elements = \{)", r'\1 "zt-s2" . ::1 . 6 . 1 : accept,'),
    "an element less": (RULESET, r'\t\t\t"zt-s2" \. [^\n]* 8883 : accept,\n', ""),
    "a session from nowhere": (RULESET, r"(set zt_s_39\w+ \{)", r"\1\n\t\telements = { fd00::1 }"),
    "a rule more": (RULESET, r"(chain zt_forward \{[^\n]*\n[^\n]*\n)", r"\1\t\taccept\n"),
    "a rule less": (RULESET, r"\t\tip6 saddr @zt_ours goto zt_deny_source\n", ""),
    "a port without a guard": (RULESET, r'"zt-s3" : goto zt_from_\d+', '"zt-s3" : return'),
    "all of ICMPv6": (RULESET, r"icmpv6 type \{ destination[^}]*\} ct state related accept", "meta l4proto ipv6-icmp accept"),
    "established first": (RULESET, r"ct state invalid goto zt_deny_state", "ct state established accept"),
    "a spoofed source": (RULESET, r"\tfd3c:91a2:77e0:31::,", "\tfd3c:91a2:77e0:41::,"),
    "more from other nodes": (RULESET, r"(set zt_inbound \{.*?)\. 6 \. 443", r"\1. 6 . 400-443"),
    "another table": (RULESET, r"delete table inet ztos", "flush ruleset"),
    "a table more": (RULESET, r"\Z", "table ip open { }\n"),
    "nodes not withheld": (RULESET, r"\t\tip6 daddr @zt_underlay goto zt_deny_underlay\n", ""),
    "another reason": (RULESET, r"goto zt_deny_grant", "goto zt_deny_state"),
    "a reason in other words": (RULESET, r'"zt-deny grant "', '"zt-deny state "'),
    "a refusal in silence": (RULESET, r'limit[^\n]* "zt-deny grant "\n', ""),
    "a condition that is not told": (RULESET, r'limit[^\n]* "zt-deny c-\w+ [^\n]*\n', ""),
    "open before the refill": (RULESET, r"(set zt_underlay \{.*?elements = \{\s*)::-[f:]+", r"\1::1"),
    "another target": (ZONE, r"(ehr.mercy.example. IN AAAA fd3c:91a2:77e0:1::1)00", r"\g<1>ff"),
    "a record less": (ZONE, r"ehr.mercy.example. IN AAAA [^\n]*\n", ""),
    "an old serial": (ZONE, r"hostmaster.mercy.example. 7", "hostmaster.mercy.example. 6"),
    "an open transfer": (CONF, r"allow-transfer \{ none; \};", "allow-transfer { any; };"),
    "no transfer clause": (CONF, r"\tallow-transfer \{ none; \};\n", ""),
    "an open resolver": (CONF, r"allow-recursion \{[^}]*\}", "allow-recursion { any; }"),
    "everybody a client": (CONF, r'acl "zt_clients" \{', r'acl "zt_clients" {\n\t::/0;'),
    "a forwarder": (CONF, r"\tnotify no;", "\tnotify no;\n\tforwarders { 2001:db8::1; };"),
    "another file": (CONF, r'file "zones/mercy.example.zone"', 'file "/etc/shadow"'),
}


@pytest.mark.parametrize("change", MUTATIONS)
def test_every_change_is_caught(change: str) -> None:
    network = n.hospital()
    path, old, new = MUTATIONS[change]
    found = refuted(network, changed(built(network), path, old, new))
    assert found and all(verdict.verdict == "refuted" and verdict.reason for verdict in found)
    folder = path.split("/", 3)[:3]
    assert any(re.match("/".join(folder) + r"/\S+:\d+: ", verdict.reason) for verdict in found)


TIMES = "nodes/accept/nftables/windows.json"
WRONG_TIMES = {
    "an hour early": (r"\[1795258800, 1795309200\]", "[1795255200, 1795309200]"),
    "a second long": (r"\[1795258800, 1795309200\]", "[1795258800, 1795327201]"),
    "a day less": (r"\[1795258800, 1795309200\],\n", ""),
    "a longer life": (r'"until": 1830297600', '"until": 1830297601'),
    "another set": (r'"zt_o_\w+"', '"zt_o_000000000000"'),
    "another key": (r'"key": "ipv6"', '"key": "fd00::1"'),
    "always": (r'"open": \[\n.*\]\}', '"open": [\n[1767225600, 1830297600]]}'),
    "nothing": (r'"windows": \[.*\]\}\n', '"windows": [\n]}\n'),
    "other blanks": (r", 1795309200\]", ",1795309200]"),
    "a float": (r", 1795309200\]", ", 1795309200.5]"),
    "out of order": (r"\[1795258800, 1795309200\]", "[1795309200, 1795258800]"),
    "one word more": (r'"schema_version"', '"more": 1, "schema_version"'),
    "cut short": (r".{9}\Z", ""),
    "two documents": (r"\Z", "{}"),
}


@pytest.mark.parametrize("change", WRONG_TIMES)
def test_a_window_that_is_not_the_policy_s_is_caught(change: str) -> None:
    network = CASES["keywords"]()
    found = refuted(network, changed(built(network), TIMES, *WRONG_TIMES[change]))
    assert any(verdict.property == "read-back" and re.match(rf"{TIMES}:\d+: ", verdict.reason) for verdict in found)


CONTRACT = "nodes/accept/nftables/contract.json"
WRONG_CONTRACT = {
    "another bound": (r'"stale": null', '"stale": 300'),
    "no bound": (r'"stale": 900', '"stale": null'),
    "half a bound": (r'"stale": 900', '"stale": 900.5'),
    "nothing": (r'"sets": \[[^!]*\]\}\n', '"sets": [\n]}\n'),
    "another set": (r'"zt_s_\w+"', '"zt_s_000000000000"'),
    "an address more": (r'"within": \[\["', '"within": [["fd00::1", "fd00::1"], ["'),
    "everybody": (r'"within": \[\[.*?\]\]', '"within": [["::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]]'),
    "nobody": (r'"within": \[\[.*?\]\]', '"within": []'),
    "other blanks": (r'"stale": ', '"stale":  '),
    "no address": (r'"within": \[\["[0-9a-f:]+', '"within": [["fd00::/64'),
    "cut short": (r".{4}\Z", ""),
}


def bounded() -> n.Network:
    """The network of `TIMES`, where some rules bound how old the facts behind a session may be."""
    network = CASES["keywords"]()
    rules = tuple(rule.model_copy(update={"stale": 900}) if rule.effect == "allow" else rule for rule in network.intent.rules)
    return network.model_copy(update={"intent": network.intent.model_copy(update={"rules": rules})})


@pytest.mark.parametrize("change", WRONG_CONTRACT)
def test_a_contract_that_is_not_the_policy_s_is_caught(change: str) -> None:
    network = CASES["keywords"]() if change == "another bound" else bounded()
    found = refuted(network, changed(built(network), CONTRACT, *WRONG_CONTRACT[change]))
    assert any(verdict.property == "read-back" and re.match(rf"{CONTRACT}:\d+: ", verdict.reason) for verdict in found)


@pytest.mark.parametrize("change", [{"stale": None}, {"stale": 901}, {"admissions": ()}])
def test_a_contract_that_the_spec_has_wrong_is_found_by_the_proof_alone(change: dict[str, object]) -> None:
    """What is demanded comes from the permits, and not from what the spec says of the contract."""
    network = bounded()
    specs = [
        spec.model_copy(
            update={"contract": tuple(each.model_copy(update=change if each.holds == "sessions" else {}) for each in spec.contract)}
        )
        for spec in project(network)
    ]
    bundle = render_network(network, render(specs, backends()), network_backends())
    found = [verdict for verdict in prove(network, specs, bundle) if verdict.verdict != "proved"]
    assert found and {verdict.property for verdict in found} == {"enforcement"}
    assert all(verdict.reason.startswith("who may have a session differs for c-") for verdict in found)


@pytest.mark.parametrize("wrong", [((n.AT, n.AT + 60),), ()])
def test_times_that_the_spec_has_wrong_are_found_by_the_proof_alone(wrong: tuple[tuple[int, int], ...]) -> None:
    """What was written and what is lowered anew come from the same spec; the proof asks the conditions themselves."""
    network = CASES["keywords"]()
    opening = Opening(address=None, times=wrong)
    specs = [
        spec.model_copy(
            update={"contract": tuple(each.model_copy(update={"openings": (opening,)} if each.openings else {}) for each in spec.contract)}
        )
        for spec in project(network)
    ]
    bundle = render_network(network, render(specs, backends()), network_backends())
    found = [verdict for verdict in prove(network, specs, bundle) if verdict.verdict != "proved"]
    assert {verdict.property for verdict in found} == {"enforcement"} and len(found) == 2
    assert all(verdict.reason.startswith("when it is time differs for ") for verdict in found)


GUESTS, PATIENTS = {"branch-1"}, {"branch-1", "edge-1", "edge-2"}
WITHHELD = {
    "an address less": (r"\t2001:db8:c::1,\n", "", GUESTS),
    "another address": (r"2001:db8:c::1,", "2001:db8:c::2,", GUESTS),
    "an address of ours": (r"\t2001:db8:b::1,\n", "\t2001:db8:b::1,\n\tfd3c:91a2:77e0:1::100,\n", PATIENTS),
    "another set": (r"flush set inet ztos zt_underlay", "flush set inet ztos zt_ours", PATIENTS),
    "a rule more": (r"\Z", "add rule inet ztos zt_forward accept\n", PATIENTS),
    "a range": (r"2001:db8:c::1,", "2001:db8:c::1-2001:db8:c::2,", PATIENTS),
}


@pytest.mark.parametrize("change", WITHHELD)
def test_what_is_withheld_is_part_of_what_a_firewall_means(change: str) -> None:
    """The file of the network alone is changed: the firewalls that lean on it are refuted with it."""
    old, new, walls = WITHHELD[change]
    network = n.hospital()
    found = refuted(network, changed(built(network), "underlay/underlay.nft", old, new))
    assert any(re.match(r"underlay/underlay.nft:\d+: ", each.reason) for each in found if each.property == "read-back")
    assert {each.statement.split("/")[1] for each in found if each.property == "enforcement"} == walls


def test_without_the_file_of_the_network_nothing_counts_as_granted() -> None:
    network = n.hospital()
    bundle = built(network)
    found = refuted(network, Bundle(tuple(file for file in bundle.files if file.target != "underlay")))
    walls = {each.statement.split()[0] for each in found if each.property == "enforcement"}
    assert walls == {f"nodes/{spec.node}/nftables" for spec in project(network) if spec.permits or spec.inbound}


def test_the_line_of_a_change_is_named() -> None:
    network = n.hospital()
    bundle = changed(built(network), RULESET, r"6 \. 8883", "6 . 8884")
    content = next(file.artifact.content for file in bundle.files if file.path == RULESET)
    line = next(number for number, text in enumerate(content.decode().splitlines(), start=1) if "8884" in text)
    assert any(f"{RULESET}:{line}: " in verdict.reason for verdict in refuted(network, bundle))


def test_a_file_that_is_missing_or_too_many_is_caught() -> None:
    network = n.hospital()
    bundle = built(network)
    for path in (RULESET, CONF, ZONE):
        assert refuted(network, Bundle(tuple(file for file in bundle.files if file.path != path)))
    assert refuted(network, Bundle((*bundle.files, replace(bundle.files[0], node="nobody"))))
    assert refuted(network, Bundle((*bundle.files, replace(bundle.files[0], artifact=replace(bundle.files[0].artifact, path="more")))))


def test_a_wrong_template_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes as rendered, but not what the spec says: only reading them back can tell."""
    render_truly = Nftables.render

    def render_wrongly(self: Nftables, model: object) -> object:
        artifact, *others = render_truly(self, model)  # type: ignore[arg-type]
        return (replace(artifact, content=artifact.content.replace(b"policy drop", b"policy accept")), *others)

    monkeypatch.setattr(Nftables, "render", render_wrongly)
    network = n.hospital()
    found = refuted(network, built(network))
    wrong = [verdict for verdict in found if verdict.property == "read-back"]
    assert len(wrong) == 4 and all("accept" in verdict.reason for verdict in wrong)


def test_a_wrong_lowering_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file says what the model says, but the model lets more pass than the spec: only the meaning can tell."""
    lower_truly = Nftables.lower

    def lower_wrongly(self: Nftables, spec: object) -> object:
        model = lower_truly(self, spec)  # type: ignore[arg-type]
        wider = [
            each.model_copy(update={"elements": tuple(replace(e, verdict="accept") for e in each.elements)})
            if each.name == "zt_grants"
            else each
            for each in model.collections
        ]
        return model.model_copy(update={"collections": tuple(wider)})

    monkeypatch.setattr(Nftables, "lower", lower_wrongly)
    network = n.hospital()
    found = refuted(network, built(network))
    assert {verdict.property for verdict in found} == {"enforcement"}
    assert any(verdict.statement == "nodes/edge-1/nftables lets pass what the network grants" for verdict in found)


def test_a_refusal_of_the_real_tool_is_told() -> None:
    tools = real_tools()
    missing = [why for tool in ("nft", "named-checkzone") if (why := tools.why_missing(tool))]
    if missing:
        pytest.skip(f"NOT JUDGED: {'; '.join(missing)}")
    network = n.hospital()
    for path, old, new, word in (
        (RULESET, r"6 \. 8883", "6 . 88830", "8883"),
        (ZONE, r"0 0 443 ehr.mercy", "0 0 443 nowhere.mercy", "nowhere"),
    ):
        found = [each for each in refuted(network, changed(built(network), path, old, new), tools) if each.property == "accepted"]
        assert found and word in found[0].reason and "/tmp" not in found[0].reason


def test_a_tool_that_cannot_judge_is_no_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """nft without root cannot send a large ruleset to the kernel: that is no verdict, and the manifest must not claim one."""
    tools = Tools()
    if tools.why_missing("nft"):
        pytest.skip(f"NOT JUDGED: {tools.why_missing('nft')}")
    monkeypatch.setattr("ztosc.prove.tools.os.geteuid", lambda: 1000)
    intent = n.hospital_intent()
    rules = [n.rule(port, "allow", "segment:infusion", "service:ehr-web", n.tcp(port)) for port in range(1000, 5000, 2)]
    network = n.number(intent.model_copy(update={"rules": (*rules, *intent.rules)}))
    assert not refuted(network, built(network), tools)
    assert not tools.usable("nft") and tools.judges(Nftables().manifest) == ()
    monkeypatch.undo()
    assert not refuted(network, built(network), Tools())


def test_a_missing_tool_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ztosc.prove.tools._why_missing", lambda tool: f"{tool} is not installed")
    network = n.hospital()
    assert not [each for each in prove(network, project(network), built(network), real_tools()) if each.property == "accepted"]
    assert [real_tools().judges(target.manifest) for target in targets()] == [()] * len(targets())


def test_a_tool_without_what_it_needs_is_missing() -> None:
    ldap = next(target.manifest for target in targets() if target.name == "ldap")
    (proof,) = ldap.proofs
    lacking = ldap.model_copy(update={"proofs": (proof.model_copy(update={"needs": ("/nowhere/core.ldif",)}),)})
    (result,) = real_tools().judge(lacking, ())
    assert result.outcome == "missing" and real_tools().judges(lacking) == ()


def test_what_comes_before_a_judgement_can_refuse() -> None:
    """The tool's own answer would be yes; what was to prepare it said no."""
    if real_tools().why_missing("nft"):
        pytest.skip(f"NOT JUDGED: {real_tools().why_missing('nft')}")
    manifest = next(target.manifest for target in targets() if target.name == "nftables")
    here = ProofFile(path="more/words", text="{folder}")
    proof = manifest.proofs[0].model_copy(update={"command": ("grep", "-x", manifest.folder, "{root}/more/words"), "files": (here,)})
    for prepare, outcome in (((("true",),), "accepted"), ((("true",), ("sh", "-c", "echo no; exit 3")), "rejected")):
        (result,) = real_tools().judge(manifest.model_copy(update={"proofs": (proof.model_copy(update={"prepare": prepare}),)}), ())
        assert result.outcome == outcome and ("no" in result.output) is (outcome == "rejected")
