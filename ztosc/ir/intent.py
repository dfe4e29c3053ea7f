"""`Intent`: what the sources say, without sugar and without a name left to resolve.

Guarantees: groups, imports, blocs and continuation are gone; every collection is sorted by name or id, so the order of files and
declarations leaves no trace; every `Ref` names something that is in here.
"""

from __future__ import annotations

from typing import Literal

from ztosc.ir.acceptance import Acceptance
from ztosc.ir.assertions import Assertion, Test
from ztosc.ir.base import Model
from ztosc.ir.compliance import Compliance, Profile, Waiver
from ztosc.ir.inventory import Inventory
from ztosc.ir.secrets import PublicKey
from ztosc.ir.values import TRUE, AttributeType, Guard, Jurisdiction, Ports, Ref, Validity
from ztosc.source import Span

NodeRole = Literal["gateway", "reflector", "resolver", "directory", "replica", "nat64", "balancer"]
Encryption = Literal["none", "hop", "end-to-end"]
Environment = Literal["production", "test", "development"]


class Release(Model):
    """`releases LABEL because "…"`: somebody signs that the label's data ends here."""

    label: str
    because: str


class Governance(Model):
    """What oversight asks of a rule or declaration."""

    owner: str | None = None
    purpose: str | None = None
    review_by: int | None = None
    """Seconds since 1970, the end of that day."""
    tickets: tuple[str, ...] = ()
    approved_by: tuple[str, ...] = ()
    agreement: str | None = None
    environment: Environment | None = None
    log_to: str | None = None
    """A service."""
    idle: int | None = None
    """Seconds."""
    releases: tuple[Release, ...] = ()

    def released(self, label: str) -> bool:
        """Whether the data of a label ends here."""
        return any(each.label == label for each in self.releases)


class Declared(Model):
    """What every declaration has: a name, its `##` text, the place it stands, what governance asks of it."""

    name: str
    doc: str = ""
    origin: Span
    governance: Governance = Governance()


class Management(Model):
    """`manage from WHO on PORTS`: who may reach the nodes themselves."""

    subjects: tuple[Ref, ...]
    ports: Ports
    origin: Span


class NetworkSettings(Declared):
    """The one overlay."""

    domain: str
    prefix: str | None = None
    """Overlay prefix (ULA, RFC 4193); chosen once and locked where absent."""
    asn: int | None = None
    timezone: str = "UTC"
    manage: tuple[Management, ...] = ()
    """Absent: nobody reaches a node."""
    log_all: str | None = None
    """The service that takes the logs of every rule that names no other."""


class Region(Declared):
    """A jurisdiction; without a country it is inside nothing."""

    country: str | None = None
    evidence: str | None = None


class Site(Declared):
    """A place with nodes."""

    region: str


class Attachment(Model):
    """A port of a node that carries a segment, and how far the one behind it is known."""

    port: str
    vlan: int | None = None
    segment: str
    kind: Literal["shared", "exclusive", "dot1x"] = "shared"
    origin: Span


class Node(Declared):
    """A ZTOS node."""

    site: str
    underlay: str
    serves: tuple[NodeRole, ...]
    attachments: tuple[Attachment, ...] = ()


class Link(Model):
    """An adjacency that may carry tunnels; `a` < `b`. Its name is `a--b`."""

    name: str
    a: str
    b: str
    macsec: bool = False
    cost: int = 1
    bandwidth: int | None = None
    """Bits a second."""
    origin: Span
    governance: Governance = Governance()


class Label(Declared):
    """A class of data."""

    encryption: Encryption = "none"
    rekey: int | None = None
    """Seconds."""
    psk: bool = False
    within: Jurisdiction | None = None
    retention: int | None = None
    """Seconds."""
    above: tuple[str, ...] = ()


class DeviceClass(Declared):
    """A class of device and the weakest proof by which it is recognised."""

    recognised_by: Literal["certificate", "inventory", "mac"] = "mac"
    speaks: Ports | None = None
    """The ports of the protocols that a device of the class needs, whichever end opens; absent: the class does not say."""


class Attribute(Declared):
    """A typed fact about user, device or session."""

    type: AttributeType
    source: str | None = None
    max_age: int | None = None
    """Seconds."""


class Segment(Declared):
    """A micro-segment."""

    at: tuple[str, ...]
    """Sites, in the order of the source: it decides which places get a replica first."""
    carries: tuple[str, ...] = ()
    admits_people: bool = False
    admits_unknown: bool = False
    admits: tuple[str, ...] = ()
    """Device classes."""
    within: Jurisdiction | None = None
    addressing: Literal["dhcp", "slaac", "prefix-per-host"] = "slaac"
    ipv4: str | None = None
    stretched: bool = False
    prefix: str | None = None
    multicast: tuple[str, ...] = ()
    mdns: bool = False
    access_tunnel: bool = False
    observe: bool = False
    lease: int | None = None
    """Seconds."""
    size: int | None = None
    """Hosts."""


class Role(Declared):
    """People: where they may come from, and what they must always satisfy."""

    sources: tuple[str, ...]
    """Segments, resolved through `includes` where the role says none itself."""
    requires: Guard = TRUE
    includes: tuple[str, ...] = ()
    """Every role that a member also holds, transitively."""
    break_glass: int | None = None
    """Seconds for which an emergency opens the role; absent: held all the time."""
    stale: int | None = None
    """Seconds that a grant may outlive the last confirmation of its facts."""


class Separation(Model):
    """Roles of which no session acts as two."""

    roles: tuple[str, ...]
    origin: Span


class Service(Declared):
    """Something that listens on a segment."""

    segment: str
    listen: Ports
    replicas: int = 1
    dns_name: str
    """One LDH label (RFC 5890 §2.3.1)."""


class External(Declared):
    """A network that is not ours."""

    reach: tuple[str, ...]
    """Prefixes of both families."""


class Partner(Declared):
    """Another organisation's overlay, known by its CA."""

    domain: str
    ca: str
    """SHA-256 of the certificate, `sha256:` and 64 hexadecimal digits."""


class System(Declared):
    """A service that the nodes themselves offer to segments (prelude)."""

    served_by: NodeRole
    listen: Ports


class Rule(Model):
    """A grant or a denial. `id` comes from its content, so it is the same wherever the rule stands."""

    id: str
    effect: Literal["allow", "deny"]
    subjects: tuple[Ref, ...]
    targets: tuple[Ref, ...]
    ports: Ports | None = None
    """Absent: what the target service listens on (allow), or everything (deny)."""
    guard: Guard = TRUE
    validity: Validity = Validity()
    because: str | None = None
    stale: int | None = None
    quarantine: bool = False
    """Half of a `quarantine`: a deny that no waiver lifts."""
    governance: Governance = Governance()
    doc: str = ""
    origin: Span


class Intent(Model):
    """The whole of what the sources say."""

    schema_version: Literal[1] = 1
    network: NetworkSettings
    regions: tuple[Region, ...] = ()
    sites: tuple[Site, ...] = ()
    nodes: tuple[Node, ...] = ()
    links: tuple[Link, ...] = ()
    labels: tuple[Label, ...] = ()
    devices: tuple[DeviceClass, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    segments: tuple[Segment, ...] = ()
    roles: tuple[Role, ...] = ()
    separations: tuple[Separation, ...] = ()
    services: tuple[Service, ...] = ()
    externals: tuple[External, ...] = ()
    partners: tuple[Partner, ...] = ()
    systems: tuple[System, ...] = ()
    rules: tuple[Rule, ...] = ()
    assertions: tuple[Assertion, ...] = ()
    tests: tuple[Test, ...] = ()
    profiles: tuple[Profile, ...] = ()
    compliance: tuple[Compliance, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    inventory: Inventory = Inventory()
    public_keys: tuple[PublicKey, ...] = ()
    """By holder and epoch."""
