"""`A reaches B despite k failures`, checked: proved by flows and by paths of which no failure breaks two, refuted by an instant or a cut.

Guarantees: whatever rules are in force together, one of the flows is allowed, from every start of A to every target; and from every node
of the start there is one path more than parts that may fail, no two of which share a part, to nodes where what is then allowed answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from ztosc.ir.assertions import Reaches
from ztosc.ir.certificate import Cut, NodePaths, Paths, Shut, Way
from ztosc.ir.flow import Flow, Place
from ztosc.ir.guards import atoms
from ztosc.ir.values import Now, Ref
from ztosc.recheck.direct import Refused, replayed
from ztosc.recheck.questions import Questions
from ztosc.recheck.solver import NoAnswer
from ztosc.recheck.ways import Ways, disjoint


def _same(one: Ref, other: Ref) -> bool:
    return (one.kind, one.name) == (other.kind, other.name)


def proved(questions: Questions, claim: Reaches, evidence: Paths) -> str:
    """Check each way. Raises `Refused`, `NoAnswer`, `TooMuch`."""
    if not claim.subjects or not claim.targets:
        raise Refused("it names nobody who could reach anything")
    ways = Ways(questions.names.network)
    count = 0
    for subject in claim.subjects:
        starts = questions.names.places(subject)
        if not starts:
            raise Refused(f"`{subject.name}` comes from nowhere")
        for target in claim.targets:
            for start in starts:
                given = [way for way in evidence.ways if _same(way.subject, subject) and _same(way.target, target) and way.start == start]
                if len(given) != 1:
                    raise Refused(f"it does not say how `{subject.name}` reaches `{target.name}` from `{start.name}`")
                _way(questions, ways, claim, given[0])
                count += 1
    if count != len(evidence.ways):
        raise Refused("it has a way that the claim does not ask for")
    return f"{count} ways hold at every instant" + (f", whichever {claim.failures} parts fail" if claim.failures else "")


def _way(questions: Questions, ways: Ways, claim: Reaches, way: Way) -> None:
    names = questions.names
    ends = names.ends(way.target)
    for flow in way.flows:
        if flow.source != way.start or flow.destination not in ends or not names.is_subject([way.subject], flow):
            raise Refused("a flow has nothing to do with the way that it is to show")
        replayed(questions, flow)
        _timeless(questions, flow)
    seen: set[tuple[Place, ...]] = set()
    rules = (rule.validity for end in ends for rule in names.policy.about(end))
    for _, instant in questions.clock.between(rules, questions.clock.at, None):
        moved = (flow.model_copy(update={"instant": instant}) for flow in way.flows)
        open_ = tuple(flow.destination for flow in moved if names.policy.decide(flow).allowed)
        if not open_:
            raise Refused(f"no flow of it is allowed from `{way.start.name}` at every instant")
        if open_ not in seen:
            seen.add(open_)
            _paths(ways, claim, way, open_)


def _timeless(questions: Questions, flow: Flow) -> None:
    """A flow that is allowed or denied by what is in force alone."""
    policy = questions.names.policy
    guards = (policy.effective_guard(rule, ref) for rule in policy.about(flow.destination) for ref in rule.subjects)
    if any(isinstance(atom.operand, Now) for guard in guards for atom in atoms(guard)):
        raise NoAnswer("a guard speaks of `now`, so one flow does not show every instant")


def _paths(ways: Ways, claim: Reaches, way: Way, ends: tuple[Place, ...]) -> None:
    if way.start.kind != "segment":
        if claim.failures:
            raise Refused("it is not known where an external enters")
        return
    homes = ways.homes(way.start.name)
    given = {each.node: each for each in way.nodes}
    if set(given) != set(homes) or len(given) != len(way.nodes):
        raise Refused(f"it has no paths from some node of `{way.start.name}`, or too many")
    instances = {node for end in ends for node in ways.instances(end)}
    if claim.failures and claim.failing != "links" and len(instances) < 2:
        raise Refused("what stands on one node survives no failure of a node")
    for here in homes:
        _from_node(ways, claim, way, given[here], ends)


def _from_node(ways: Ways, claim: Reaches, way: Way, given: NodePaths, ends: tuple[Place, ...]) -> None:
    good = [path for path in given.paths if any(_leads(ways, way.start, end, given.node, path) for end in ends)]
    if any(len(path) == 1 for path in good):
        return  # it answers on the node itself, which does not fail
    domains = sorted({name for end in ends for name in ways.between(way.start, end)})
    graph = {node: links for name in domains for node, links in ways.graph(name).items()} if len(domains) == 1 else _joint(ways, domains)
    if len(good) <= claim.failures or not disjoint(good, graph, claim.failing):
        raise Refused(f"from node `{given.node}` there are not {claim.failures + 1} paths that share nothing")


def _joint(ways: Ways, domains: Iterable[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name in domains:
        for node, links in ways.graph(name).items():
            found.setdefault(node, {}).update(links)
    return found


def _leads(ways: Ways, start: Place, end: Place, here: str, path: tuple[str, ...]) -> bool:
    """Whether a path goes from a node to one where an end answers, each step in every domain that the packets are in."""
    if not path or path[0] != here or path[-1] not in ways.instances(end):
        return False
    graphs = [ways.graph(name) for name in ways.between(start, end)]
    steps = list(pairwise(path))
    return all(node in graph for graph in graphs for node in path) and all(b in graph[a] for graph in graphs for a, b in steps)


def shut(questions: Questions, claim: Reaches, evidence: Shut) -> str:
    """Nobody of the subject may at that instant. Raises `Refused`, `NoAnswer`, `TooMuch`."""
    _asked(claim, evidence)
    places = questions.names.places(evidence.subject)
    if evidence.start is None:
        if places:
            raise Refused(f"`{evidence.subject.name}` does come from somewhere")
        return f"`{evidence.subject.name}` comes from nowhere"
    if evidence.start not in places or evidence.instant < questions.clock.at:
        raise Refused("the claim says nothing of that start or instant")
    if _open(questions, evidence.subject, evidence.start, questions.names.ends(evidence.target), evidence.instant):
        raise Refused("somebody may at that instant")
    return "nobody may at that instant"


def _asked(claim: Reaches, evidence: Shut | Cut) -> None:
    if not any(_same(each, evidence.subject) for each in claim.subjects) or not any(_same(each, evidence.target) for each in claim.targets):
        raise Refused("the claim says nothing of that subject and target")


def _open(questions: Questions, ref: Ref, start: Place, ends: Iterable[Place], instant: int) -> list[Place]:
    return [end for end in ends if questions.may(start, end, instant, instant + 1, ref)]


def cut(questions: Questions, claim: Reaches, evidence: Cut) -> str:
    """What is allowed at that instant answers no more. Raises `Refused`, `NoAnswer`, `TooMuch`."""
    _asked(claim, evidence)
    names, ways = questions.names, Ways(questions.names.network)
    if evidence.start not in names.places(evidence.subject) or evidence.instant < questions.clock.at:
        raise Refused("the claim says nothing of that start or instant")
    if evidence.start.kind != "segment" or evidence.node not in ways.homes(evidence.start.name):
        raise Refused("the start does not live on that node")
    _failures(claim, evidence)
    ends = _open(questions, evidence.subject, evidence.start, names.ends(evidence.target), evidence.instant)
    instances = {node for end in ends for node in ways.instances(end)}
    if evidence.failed == (("node", evidence.node),):
        if instances == {evidence.node}:
            return "everything that answers stands on the one node that failed"
        raise Refused("the node of the start itself does not fail")
    for end in ends:
        left = {node for node in ways.instances(end) if ("node", node) not in evidence.failed}
        for domain in ways.between(evidence.start, end):
            left &= ways.reached(domain, evidence.node, evidence.failed)
        if left:
            raise Refused(f"after the failures `{min(left)}` still answers")
    return "after the failures nothing answers"


def _failures(claim: Reaches, evidence: Cut) -> None:
    kinds = {"any": ("link", "node"), "links": ("link",), "nodes": ("node",)}[claim.failing]
    if len(evidence.failed) > claim.failures or any(kind not in kinds for kind, _ in evidence.failed):
        raise Refused("more fails, or something else, than the claim allows")
    if ("node", evidence.node) in evidence.failed and len(evidence.failed) > 1:
        raise Refused("the node of the start itself does not fail")
