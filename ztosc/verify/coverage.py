"""What the verdicts on a network take into account and what they do not, said of this network where it can be.

Guarantees: names every segment, port, external and rule of which less is known than its declaration sounds like; the general lines are
true of this code, and a line that could be about something in the network but is about nothing there is left out. Pure: the same network
gives the same lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version

from ztosc.ir.base import Model
from ztosc.ir.clock import instant_text
from ztosc.ir.guards import atoms
from ztosc.ir.intent import Segment
from ztosc.ir.network import Network
from ztosc.ir.values import Now
from ztosc.verify.assurance import Assurances
from ztosc.verify.moments import YEARS


class Line(Model):
    """One thing that is modelled, or is not. `names` are those of this network that it is about; none: it is about any network."""

    topic: str
    text: str
    names: tuple[str, ...] = ()


class Coverage(Model):
    """What the model covers, and what it does not."""

    covers: tuple[Line, ...]
    does_not_cover: tuple[Line, ...]


def coverage(network: Network) -> Coverage:
    """Both, for one network: what is about this network comes first."""
    beyond = [*_here(network), *_anywhere()]
    return Coverage(covers=tuple(_covered(network)), does_not_cover=tuple(beyond))


def zones() -> str:
    """The version of the pinned time zones."""
    try:
        return f"tzdata {version('tzdata')}"
    except PackageNotFoundError:
        return "tzdata of an unknown version"


def _covered(network: Network) -> Iterator[Line]:
    yield Line(
        topic="flows",
        text="who may initiate what: every place, kind of initiator, set of roles that `separate` permits, protocol and port, and every "
        "value of every attribute that a guard asks for, absent included (a missing fact denies)",
    )
    chains = "chains of flows in the order of time, over externals too, and over a resolver that recurses for a segment"
    yield Line(topic="chains", text=chains)
    yield Line(
        topic="data",
        text="for `stays within` and `never flows down`, data that moves with a flow and against it (answers), what may relay it after any "
        "failures, sinks of `log to`, and the directory for `personal`",
    )
    yield Line(topic="failures", text="for `reaches … despite`, every combination of links and nodes that fail, in each isolation domain")
    yield Line(topic="time", text=f"every instant from {instant_text(network.at)} on{_horizon(network)}")


def _horizon(network: Network) -> str:
    found = sorted({window.zone for rule in network.intent.rules for window in rule.validity.windows})
    if not found:
        return ""
    said = f", daylight saving of {', '.join(found)} as {zones()} foretells it"
    return f"{said}; what recurs only later than {YEARS} years after the last date in the rules is `unknown`"


def _here(network: Network) -> Iterator[Line]:
    """What this network has of things that verdicts do not, or not fully, take into account."""
    segments = network.intent.segments
    text = "only observes: what is denied there passes, and no verdict counts it as kept apart"
    yield from _line("observe", text, _where(segments, "observe"))
    yield from _ports(network)
    lax = (each.segment for each in Assurances(network).unenforced())
    yield from _line("admission", "`admits` is unenforced: at some port of it nothing authenticates", lax)
    yield from _externals(network)
    yield from _segments(segments)
    yield from _settings(network)
    yield from _facts(network)


def _line(topic: str, text: str, names: Iterable[str]) -> Iterator[Line]:
    found = tuple(dict.fromkeys(names))
    if found:
        yield Line(topic=topic, text=text, names=found)


def _where(segments: Iterable[Segment], field: str) -> Iterator[str]:
    return (each.name for each in segments if getattr(each, field))


def _ports(network: Network) -> Iterator[Line]:
    ports = ((node.name, port) for node in network.intent.nodes for port in node.attachments)
    shared = (f"{node} {port.port}" for node, port in ports if port.kind == "shared")
    text = "hosts behind one shared port are one trust domain: what passes between them there is not seen"
    yield from _line("shared ports", text, shared)


def _externals(network: Network) -> Iterator[Line]:
    rules = [rule for rule in network.intent.rules if rule.effect == "allow"]
    entering = (ref.name for rule in rules for ref in rule.subjects if ref.kind == "external")
    yield from _line("entry", "initiates, and where it enters is not modelled: no failure is judged for it", entering)
    reached = (ref.name for rule in rules for ref in rule.targets if ref.kind == "external")
    text = "is taken as one place: what two of its hosts say to each other, and what it does with data, is not modelled"
    yield from _line("externals", text, reached)


def _segments(segments: Iterable[Segment]) -> Iterator[Line]:
    segments = tuple(segments)
    groups = (each.name for each in segments if each.multicast or each.mdns)
    yield from _line("multicast", "multicast and mDNS within it are no flows of the model", groups)
    frames = "one layer-2 domain over its sites: frames between them are no flows of the model"
    yield from _line("layer 2", frames, _where(segments, "stretched"))
    translated = "its IPv4 addresses are names for its hosts: how they are translated is not modelled"
    yield from _line("IPv4", translated, _where(segments, "ipv4"))


def _settings(network: Network) -> Iterator[Line]:
    settings = network.intent.network
    managers = (ref.name for each in settings.manage for ref in each.subjects)
    yield from _line("management", "`manage` lets it reach the nodes themselves, which no assertion counts", managers)
    yield from _line("partners", "another overlay: what it does is not modelled", (each.name for each in network.intent.partners))


def _facts(network: Network) -> Iterator[Line]:
    intent = network.intent
    bounded = (each.name for each in intent.roles if each.stale is not None)
    ages = (each.name for each in intent.attributes if each.max_age is not None)
    yield from _line("age of facts", "how old a fact is when it is used (`stale`, `max-age`) is not modelled", (*bounded, *ages))
    opened = (each.name for each in intent.roles if each.break_glass is not None)
    yield from _line("emergencies", "is taken to be open at all times: who breaks the glass, and when, is not modelled", opened)
    guards = (*(rule.guard for rule in intent.rules), *(role.requires for role in intent.roles))
    if any(isinstance(atom.operand, Now) for guard in guards for atom in atoms(guard)):
        yield Line(topic="clocks", text="`now` is the instant of the flow: that the clock of each node shows it is taken for granted")


def _anywhere() -> Iterator[Line]:
    """What no verdict on any network takes into account."""
    yield Line(
        topic="answers",
        text="`never reaches`, `only … reach` and `isolated from` are about who initiates: answers to a granted flow carry data the other "
        "way, which `stays within` and `never flows down` follow",
    )
    yield Line(
        topic="facts", text="attributes, roles and recognised devices are taken as told: a lie of whoever tells them is not modelled"
    )
    yield Line(
        topic="ICMPv6",
        text="neighbour discovery, router advertisements and errors such as packet-too-big are no flows of the model: the files of `build` "
        "keep discovery on its link, take no advertisement from a host, and pass errors about a flow that was",
    )
    yield Line(topic="fragments", text="a flow is whole: nodes put fragments together before they judge, which only the files say")
    yield Line(
        topic="addresses",
        text="verdicts are about names: which addresses stand for one, that a mapped or forged one is nobody's, and that NAT64 is judged "
        "by the address behind it, is decided and proved where files are made (`build`)",
    )
    text = "a question to a resolver counts as a hop, and its content (a name that carries data) not as the data itself"
    yield Line(topic="resolvers", text=text)
    yield Line(
        topic="nodes",
        text="traffic of the nodes themselves (input and output hooks: tunnels, BGP, the directory's replication) is no flow of the model, "
        "and a node that is broken into is not one either",
    )
    yield Line(topic="underlay", text="a way past the overlay (a second network card, a cable between two hosts) is not seen")
    yield Line(topic="routing", text="that routes are found after a failure, and how fast, is not modelled: a way that exists counts")
    yield Line(topic="rollout", text="the network is taken to change everywhere at once: during a rollout some nodes hold the old one")
    yield Line(topic="redundancy", text="a rule that is found redundant is so while the others stand: not all such rules may go at once")
