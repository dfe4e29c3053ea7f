"""Networks of any size for measuring verification: branches with desks, benches of devices, racks, vaults, a lobby and a yard.

`Plan(segments, rules, claims, seed)` decides everything; `plan.text()` is the source of a project, `plan.network()` the same as a
`Network`, numbered plainly, without reading a text. The same arguments give the same bytes on every machine.

What makes it like a real one: grants lead from desks and benches to racks, from rack to rack in one direction, and on to vaults, which
initiate nothing; roles have requirements, grants have guards, windows and dates; some denies cut in; visitors are granted vaults under
conditions that nobody can meet, so that only guards stand between a lobby and a vault; all branches send to the first; some claims are
wrong.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.verify.networks import AT, here, is_, numbered
from ztosc.ir import intent as model
from ztosc.ir.assertions import Assertion, Isolated, NeverReaches, OnlyReach
from ztosc.ir.network import Network
from ztosc.ir.values import TRUE, AnyOf, BoolType, EnumType, Guard, Negation, RangeType, Ref, Validity, Window, all_of
from ztosc.logic.ports import Boxes
from ztosc.verify.literals import port_set

BRANCH = 20
"""Segments a branch."""
KINDS = {"desk": 4, "bench": 4, "rack": 8, "vault": 2, "lobby": 1, "yard": 1}
ROLES = 6
"""Roles a branch from its desks."""
ZONE = "Europe/Berlin"

Phrase = tuple[str, Guard]


def phrases() -> list[Phrase]:
    """Conditions as the language writes them, and as the IR has them."""
    mfa, managed = is_("user.mfa", True), is_("device.managed", True)
    healthy, fine = is_("device.health", "healthy"), is_("device.health", "unknown", "!=")
    found: list[Phrase] = [
        ("user.mfa", mfa),
        ("device.managed", managed),
        ("user.mfa and device.health == healthy", all_of(mfa, healthy)),
        ("device.health != unknown and device.managed", all_of(fine, managed)),
        ("user.mfa or device.managed", AnyOf(parts=(mfa, managed))),
        ("not (user.risk > 80)", Negation(part=is_("user.risk", 80, ">"))),
    ]
    for risk in range(10, 60, 5):
        found.append((f"user.risk < {risk}", is_("user.risk", risk, "<")))
        found.append((f"user.mfa and user.risk < {risk}", all_of(mfa, is_("user.risk", risk, "<"))))
    for clearance in ("confidential", "secret", "top-secret"):
        found.append((f"user.clearance >= {clearance}", is_("user.clearance", clearance, ">=")))
    return found


@dataclass(frozen=True)
class Line:
    """One rule."""

    effect: str
    subjects: tuple[str, ...]
    target: str
    on: str = ""
    when: Phrase = ("", TRUE)
    time: tuple[str, Validity] = ("", Validity())

    def text(self) -> str:
        """As the language writes it."""
        parts = [f"{self.effect} {', '.join(self.subjects)} to {self.target}"]
        parts += [f"on {self.on}"] if self.on else []
        parts += [f"when {self.when[0]}"] if self.when[0] else []
        return " ".join([*parts, self.time[0]]).strip()


@dataclass(frozen=True)
class Claim:
    """One assertion."""

    kind: str
    subjects: tuple[str, ...]
    target: str

    def text(self) -> str:
        """As the language writes it."""
        who = ", ".join(self.subjects)
        return {"never": f"{who} never reaches {self.target}", "isolated": f"{who} isolated from {self.target}"}.get(
            self.kind, f"only {who} reach {self.target}"
        )


class Plan:
    """What there is, by name."""

    def __init__(self, segments: int = 2_000, rules: int = 20_000, claims: int = 400, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.branches = max(2, segments // BRANCH)
        self.phrases, self.times = phrases(), times()
        self.lines = list(dict.fromkeys(self._first_lines()))
        known = set(self.lines)
        while len(self.lines) < rules:
            line = self._line(self.random.randrange(self.branches))
            if line not in known:
                known.add(line)
                self.lines.append(line)
        self.claims = [self._claim(number) for number in range(claims)]

    # Rules

    def _first_lines(self) -> list[Line]:
        """What every branch has, whatever its size."""
        found = [Line("allow", ("customers",), "app-0-0", "tcp/443"), Line("allow", ("rack-0-0",), "suppliers", "tcp/443")]
        found.append(Line("allow", ("rack-0-0",), "records-0-0"))
        for branch in range(self.branches):
            found.append(Line("allow", (f"lobby-{branch}-0",), "internet", "tcp/80, tcp/443"))
            found.append(Line("allow", (f"clerk-{branch}-0",), f"app-{branch}-0"))
            found.append(Line("allow", (f"rack-{branch}-7",), f"records-{branch}-0"))
            found.append(
                Line("allow", (f"visitor-{branch}",), f"vault-{branch}-0", "tcp/443", ("user.risk < 40", is_("user.risk", 40, "<")))
            )
            unsafe = ("user.risk < 60", is_("user.risk", 60, "<"))
            found += [Line("deny", (f"visitor-{branch}",), f"vault-{branch}-{index}", when=unsafe) for index in range(2)]
            found.append(
                Line("deny", (f"clerk-{branch}-5",), f"vault-{branch}-1", when=("not user.mfa", Negation(part=is_("user.mfa", True))))
            )
        return found

    def _line(self, branch: int) -> Line:
        pick, number = self.random.random(), self.random.randrange
        when = self.random.choice(self.phrases) if self.random.random() < 0.6 else ("", TRUE)
        time = self.random.choice(self.times) if self.random.random() < 0.15 else ("", Validity())
        port = f"tcp/{number(1024, 9000)}"
        if pick < 0.40:
            some = tuple(sorted({f"clerk-{branch}-{number(ROLES)}" for _ in range(number(1, 3))}))
            return Line("allow", some, f"app-{branch}-{number(8)}", "" if number(2) else port, when, time)
        if pick < 0.55:
            return Line("allow", (f"bench-{branch}-{number(4)}",), f"app-{branch}-{number(8)}", port, ("", TRUE), time)
        if pick < 0.72:
            low = number(7)
            return Line("allow", (f"rack-{branch}-{low}",), f"app-{branch}-{number(low + 1, 8)}", port, ("", TRUE), time)
        if pick < 0.78:
            return Line("allow", (f"app-{branch}-{number(8)}",), f"records-{branch}-{number(2)}", port, ("", TRUE), time)
        if pick < 0.88:
            return Line("allow", (f"keeper-{branch}",), f"rack-{branch}-{number(8)}", port, when, time)
        if pick < 0.92:
            return Line("deny", (f"clerk-{branch}-{number(ROLES)}",), f"rack-{branch}-{number(8)}", port, when, time)
        if pick < 0.96:
            return Line("allow", (f"rack-{branch}-{number(8)}",), f"app-0-{number(7)}", port, ("", TRUE), time)
        bound = number(5, 60)
        return Line(
            "allow", (f"visitor-{branch}",), f"vault-{branch}-{number(2)}", port, (f"user.risk < {bound}", is_("user.risk", bound, "<"))
        )

    # Claims

    def _claim(self, number: int) -> Claim:
        branch, other = self.random.randrange(1, self.branches), self.random.randrange(1, self.branches)
        wrong = self.random.random() < 0.05
        if number % 2:
            return self._transitive(branch, other, wrong, number // 2 % 4)
        return self._direct(branch, other, wrong, number // 2 % 4)

    def _direct(self, branch: int, other: int, wrong: bool, kind: int) -> Claim:
        if wrong:
            return Claim("never", (f"clerk-{branch}-0",), f"app-{branch}-0")
        if kind == 0:
            return Claim("never", (f"visitor-{branch}",), f"vault-{branch}-{self.random.randrange(2)}")
        if kind == 1:
            return Claim("never", (f"bench-{branch}-0", f"lobby-{branch}-0"), f"vault-{other}-0")
        if kind == 2:
            target = f"records-{branch}-{self.random.randrange(2)}"
            vault = target.replace("records", "vault")
            granted = {name for line in self.lines if line.effect == "allow" and line.target in (target, vault) for name in line.subjects}
            return Claim("only", tuple(sorted(granted)), target)
        return Claim("never", (f"desk-{branch}-1",), f"vault-{branch}-1")

    def _transitive(self, branch: int, other: int, wrong: bool, kind: int) -> Claim:
        if wrong:
            return Claim("isolated", (f"bench-{branch}-1", f"desk-{branch}-0"), f"vault-{branch}-0")
        if kind == 0:
            return Claim("isolated", (f"lobby-{branch}-0",), f"vault-{branch}-{self.random.randrange(2)}")
        if kind == 1:
            return Claim("isolated", (f"vault-{branch}-0",), f"desk-{other}-0")
        if kind == 2:
            return Claim("isolated", (f"desk-{branch}-0",), f"bench-{other}-2")
        return Claim("isolated", (f"lobby-{branch}-0", "customers"), f"rack-{branch}-3")

    # As a text

    def text(self) -> str:
        """The source of the project."""
        parts = [HEAD, *(self._branch_text(branch) for branch in range(self.branches))]
        parts += [f"link {a} -- {b}" for a, b in self._ring()]
        parts += [line.text() for line in self.lines]
        return "\n".join([*parts, *(f"assert {claim.text()}" for claim in self.claims), ""])

    def _branch_text(self, branch: int) -> str:
        serves = "gateway, reflector, resolver, directory" if branch < 2 else "gateway"
        nodes = [f"  node n{branch}-{side} {{ underlay 2001:db8:{branch:x}::{side + 1:x}; serves {serves} }}" for side in (0, 1)]
        parts = [f"site s{branch} in home {{", *nodes, f"  link n{branch}-0 -- n{branch}-1", "}"]
        more = {"desk": "; admits people; carries internal", "bench": "; admits infusion-pump", "vault": "; carries phi",
                "lobby": "; admits people", "yard": "; admits people"}  # fmt: skip
        for kind, count in KINDS.items():
            parts += [f"segment {kind}-{branch}-{index} {{ at s{branch}{more.get(kind, '')} }}" for index in range(count)]
        parts += [f"service app-{branch}-{index} on rack-{branch}-{index} {{ listen tcp/443 }}" for index in range(KINDS["rack"])]
        parts += [f"service records-{branch}-{index} on vault-{branch}-{index} {{ listen tcp/5432 }}" for index in range(KINDS["vault"])]
        desks = ", ".join(f"desk-{branch}-{index}" for index in range(KINDS["desk"]))
        parts += [f"role clerk-{branch}-{index} {{ from {desks}; requires user.mfa }}" for index in range(ROLES)]
        parts += [
            f"role visitor-{branch} {{ from lobby-{branch}-0; requires user.mfa }}",
            f"role keeper-{branch} {{ from yard-{branch}-0 }}",
        ]
        return "\n".join([*parts, f"separate clerk-{branch}-0, clerk-{branch}-1"])

    # As a network

    def network(self) -> Network:
        """The network, numbered plainly."""
        kinds = self._kinds()
        rules = tuple(self._rule(number, line, kinds) for number, line in enumerate(self.lines))
        names = [(kind, branch, index) for branch in range(self.branches) for kind, count in KINDS.items() for index in range(count)]
        segments = [self._segment(*each) for each in names]
        intent = model.Intent(
            network=model.NetworkSettings(name="group", origin=here(1), domain="group.example"),
            regions=(model.Region(name="home", origin=here(1), country="DE"),),
            sites=tuple(model.Site(name=f"s{branch}", origin=here(1), region="home") for branch in range(self.branches)),
            nodes=tuple(self._node(branch, side) for branch in range(self.branches) for side in (0, 1)),
            links=tuple(self._links()),
            labels=tuple(model.Label(name=name, origin=here(1)) for name in ("internal", "phi")),
            devices=(model.DeviceClass(name="infusion-pump", origin=here(1)),),
            attributes=attributes(),
            segments=tuple(sorted(segments, key=lambda each: each.name)),
            roles=tuple(sorted(self._roles(), key=lambda each: each.name)),
            separations=tuple(
                model.Separation(roles=(f"clerk-{each}-0", f"clerk-{each}-1"), origin=here(1)) for each in range(self.branches)
            ),
            services=tuple(sorted(self._services(), key=lambda each: each.name)),
            externals=tuple(model.External(name=name, origin=here(1), reach=reach) for name, reach in sorted(EXTERNALS.items())),
            rules=rules,
            assertions=tuple(self._assertion(number, claim, kinds) for number, claim in enumerate(self.claims)),
        )
        return numbered(intent, AT, (), {})

    def _kinds(self) -> dict[str, str]:
        found = dict.fromkeys(EXTERNALS, "external")
        for branch in range(self.branches):
            found |= {f"{kind}-{branch}-{index}": "segment" for kind, count in KINDS.items() for index in range(count)}
            found |= {f"clerk-{branch}-{index}": "role" for index in range(ROLES)}
            found |= {f"visitor-{branch}": "role", f"keeper-{branch}": "role"}
            found |= {f"app-{branch}-{index}": "service" for index in range(8)} | {
                f"records-{branch}-{index}": "service" for index in range(2)
            }
        return found

    def _rule(self, number: int, line: Line, kinds: dict[str, str]) -> model.Rule:
        return model.Rule(
            id=f"r{number}",
            effect="allow" if line.effect == "allow" else "deny",
            subjects=refs(line.subjects, kinds),
            targets=refs((line.target,), kinds),
            ports=_ports(line.on),
            guard=line.when[1],
            validity=line.time[1],
            origin=here(number + 1),
        )

    def _assertion(self, number: int, claim: Claim, kinds: dict[str, str]) -> Assertion:
        shape = {"never": NeverReaches, "isolated": Isolated, "only": OnlyReach}[claim.kind]
        origin = here(len(self.lines) + number + 1)
        return shape(statement=claim.text(), origin=origin, subjects=refs(claim.subjects, kinds), targets=refs((claim.target,), kinds))

    def _segment(self, kind: str, branch: int, index: int) -> model.Segment:
        carries = {"desk": ("internal",), "vault": ("phi",)}.get(kind, ())
        return model.Segment(
            name=f"{kind}-{branch}-{index}",
            origin=here(1),
            at=(f"s{branch}",),
            carries=carries,
            admits=("infusion-pump",) if kind == "bench" else (),
            admits_people=kind in ("desk", "lobby", "yard"),
        )

    def _roles(self) -> list[model.Role]:
        found = []
        mfa = is_("user.mfa", True)
        for branch in range(self.branches):
            desks = tuple(f"desk-{branch}-{index}" for index in range(KINDS["desk"]))
            found += [model.Role(name=f"clerk-{branch}-{index}", origin=here(1), sources=desks, requires=mfa) for index in range(ROLES)]
            found.append(model.Role(name=f"visitor-{branch}", origin=here(1), sources=(f"lobby-{branch}-0",), requires=mfa))
            found.append(model.Role(name=f"keeper-{branch}", origin=here(1), sources=(f"yard-{branch}-0",)))
        return found

    def _services(self) -> list[model.Service]:
        shapes = (("app", "rack", 8, "tcp/443"), ("records", "vault", 2, "tcp/5432"))
        return [
            model.Service(
                name=f"{name}-{branch}-{index}",
                origin=here(1),
                segment=f"{on}-{branch}-{index}",
                listen=port_set(listen),
                dns_name=f"{name}{index}",
            )
            for branch in range(self.branches)
            for name, on, count, listen in shapes
            for index in range(count)
        ]

    def _node(self, branch: int, side: int) -> model.Node:
        return model.Node(
            name=f"n{branch}-{side}", origin=here(1), site=f"s{branch}", underlay=f"2001:db8:{branch:x}::{side + 1}", serves=("gateway",)
        )

    def _ring(self) -> list[tuple[str, str]]:
        """Every branch joined with the next, twice."""
        last = self.branches if self.branches > 2 else 1
        return [(f"n{branch}-{side}", f"n{(branch + 1) % self.branches}-{side}") for branch in range(last) for side in (0, 1)]

    def _links(self) -> list[model.Link]:
        ends = [(f"n{branch}-0", f"n{branch}-1") for branch in range(self.branches)]
        ends += self._ring()
        pairs = sorted({tuple(sorted(each)) for each in ends})
        return [model.Link(name=f"{a}--{b}", a=a, b=b, origin=here(1)) for a, b in pairs]


EXTERNALS = {"internet": ("::/0", "0.0.0.0/0"), "customers": ("192.0.2.0/24",), "suppliers": ("198.51.100.0/24",)}

HEAD = f"""import std.identity
import std.hipaa
import std.medical
network group {{ domain "group.example"
  prefix fd3c:91a2:77e2::/48
  timezone {ZONE}
}}
region home {{ country DE }}
""" + "\n".join(f"external {name} {{ reach {', '.join(reach)} }}" for name, reach in EXTERNALS.items())


def refs(names: tuple[str, ...], kinds: dict[str, str]) -> tuple[Ref, ...]:
    """Names as references."""
    return tuple(Ref.model_validate({"kind": kinds[name], "name": name}) for name in names)


def attributes() -> tuple[model.Attribute, ...]:
    """The attributes that conditions ask for."""
    clearance = EnumType(values=("none", "confidential", "secret", "top-secret"), ordered=True)
    health = EnumType(values=("healthy", "degraded", "unknown"), ordered=False)
    types = {"device.health": health, "device.managed": BoolType(), "user.clearance": clearance, "user.mfa": BoolType(),
             "user.risk": RangeType(low=0, high=100)}  # fmt: skip
    return tuple(model.Attribute(name=name, origin=here(1), type=kind) for name, kind in types.items())


def times() -> list[tuple[str, Validity]]:
    """Windows and dates as the language writes them, and as the IR has them."""
    zone = ZoneInfo(ZONE)
    found = []
    for weeks in range(4, 104, 2):
        day = date(2026, 12, 1) + timedelta(weeks=weeks)
        following = day + timedelta(days=1)
        end = int(datetime(following.year, following.month, following.day, tzinfo=zone).timestamp())
        found.append((f"until {day.isoformat()}", Validity(not_after=end)))
    every, working = tuple(range(7)), tuple(range(5))
    for start, stop, days, said in ((6, 20, every, ""), (8, 18, working, " on mon-fri"), (22, 5, every, "")) * 10:
        window = Window(start=start * 3600, end=stop * 3600, days=days, zone=ZONE)
        found.append((f"between {start:02}:00 and {stop:02}:00{said}", Validity(windows=(window,))))
    return found


def _ports(on: str) -> Boxes | None:
    return port_set(on) if on else None
