"""What our entries may say: attribute types and object classes of our own, and what we use of the standard ones.

Guarantees: a number is never given twice nor to anything else later; all are below one arc, `2.25.<uuid as integer>` (ITU-T X.667), drawn
once for this product. The type of a declared attribute (`user.mfa`) has a number made from its name, so it is the same in every build
and in every network.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable

from ztosc.backends.ldap.model import AttributeType, Kind, ObjectClass, Schema
from ztosc.ir.intent import Attribute

ROOT = uuid.UUID("ea1962fa-3f5e-4bb0-beec-d54ad24a0567")
"""Drawn at random once; below it everything of ours is numbered."""

FACTS = ObjectClass(
    number=100, name="ztosFacts", kind="AUXILIARY", must=(), description="Declared attributes of a person, device or session"
)
FACT_BITS = 60


def _types(kind: Kind, *rows: str, single: bool = True) -> tuple[AttributeType, ...]:
    """Rows of `number name: what it means`."""
    found = []
    for row in rows:
        head, _, description = row.partition(": ")
        number, name = head.split()
        found.append(AttributeType(number=int(number), name=f"ztos{name}", kind=kind, description=description, single=single))
    return tuple(found)


TYPES = (
    *_types(
        "text",
        "1 Evidence: On what a claim of jurisdiction rests",
        "2 Because: Why a rule is there",
        "3 Owner: Who answers for a rule",
        "4 Purpose: What a rule is for",
        "5 Agreement: The contract under which data is passed on",
        "8 FullName: What a person is called",
    ),
    *_types("octets", "6 Ticket: A change that a rule belongs to", "7 ApprovedBy: Who approved a rule", single=False),
    *_types("octets", "9 Release: A label whose data ends here, and who signs for it why", single=False),
    *_types(
        "exact",
        "10 Timezone: IANA zone in which times of day are meant",
        "11 Within: Jurisdiction as the policy names it",
        "12 Guard: Canonical JSON of a condition over declared attributes; it must be true for an allow, true or unknown for a deny",
        "13 GuardText: The same condition for people",
        "14 ValueType: Canonical JSON of the type of a declared attribute",
        "15 LdapAttribute: The attribute that holds values of a declared one",
        "16 Source: Where a declared attribute comes from",
        "17 ProfileDigest: sha256 over a line for each file of a node: its sha256, two blanks, its path; sorted by path",
    ),
    *_types("exact", "18 Window: Canonical JSON of a daily window in which a rule is in force; any of several suffices", single=False),
    *_types(
        "word",
        "20 Country: ISO 3166 code",
        "21 Gateway: Address of a segment at a site",
        "22 Vtep: IPv4 tunnel end inside the tunnels",
        "23 RouterId: BGP identifier",
        "24 Underlay: Address at which other nodes find a node",
        "25 Interface: Name of an interface on every node that has it",
        "26 Nat64Prefix: Prefix in which IPv4 addresses are embedded",
        "27 Addressing: How hosts get addresses: dhcp, slaac or prefix-per-host",
        "28 Encryption: Least encryption: none, hop or end-to-end",
        "29 RecognisedBy: Weakest proof of a device class: certificate, inventory or mac",
        "30 Effect: allow or deny; a deny always wins",
        "31 Environment: production, test or development",
        "32 PortName: Port of a node",
        "33 PortKind: How far the one behind a port is known: shared, exclusive or dot1x",
        "34 EndAAddress: Inner address of the first end of a link",
        "35 EndBAddress: Inner address of the second end of a link",
        "36 KeyPurpose: What a key is for",
        "37 Ipv4Prefix: Prefix for devices that know no IPv6",
        "38 MacAddress: Hardware address by which a device is recognised",
        "39 CertificateDigest: SHA-256 of a certificate",
    ),
    *_types(
        "word",
        "40 Address: Address",
        "41 Prefix: Prefix",
        "42 Port: Protocol and ports as the language writes them",
        "43 Serves: What a node offers",
        "44 Countries: Codes that a jurisdiction stands for",
        "45 Multicast: Group that a segment may use",
        "46 AaaaRecord: RFC 3596 address",
        "47 SrvRecord: RFC 2782 service location",
        "48 PtrRecord: RFC 1035 pointer",
        single=False,
    ),
    *_types("word", "49 PartnerDomain: Domain of the overlay of another organisation"),
    *_types(
        "integer",
        "50 Vni: VXLAN network identifier",
        "51 L3vni: VXLAN network identifier of an isolation domain",
        "52 Asn: Autonomous system number",
        "53 Vlan: VLAN of a port",
        "54 Cost: Routing cost of a link",
        "55 Bandwidth: Bits a second",
        "56 UdpPort: UDP port of a tunnel at both ends",
        "57 Replicas: Number of endpoints",
        "58 Size: Hosts that a segment is made for",
        "59 Lease: Seconds",
        "60 Rekey: Seconds that a key may live",
        "61 Retention: Seconds",
        "62 MaxAge: Seconds for which a fact counts",
        "63 Stale: Seconds that a grant outlives the last confirmation of its facts",
        "64 Idle: Seconds without traffic after which a grant ends",
        "65 Epoch: Number of a key among those of its holder; 0 before the first",
        "66 Ttl: Seconds",
        "67 BreakGlass: Seconds for which an emergency opens a role",
    ),
    *_types(
        "boolean",
        "70 AdmitsPeople: Whether people may sit in a segment",
        "71 AdmitsUnknown: Whether a segment takes devices that nothing recognises",
        "72 Stretched: Whether a segment is one broadcast domain over its sites",
        "73 Mdns: Whether multicast DNS passes inside a segment",
        "74 AccessTunnel: Whether each host comes through a tunnel of its own",
        "75 Observe: Whether what would be denied is only logged",
        "76 Macsec: Whether a link is encrypted by MACsec too",
        "77 PreSharedKey: Whether tunnels need a pre-shared key",
        "78 Quarantine: Whether a denial is half of a quarantine, which no waiver lifts",
    ),
    *_types(
        "time",
        "80 NotBefore: In force from this instant on",
        "81 NotAfter: No longer in force at this instant",
        "82 ReviewBy: End of the day by which a rule is to be looked at again",
    ),
    *_types(
        "dn",
        "90 RegionRef: Region of a site",
        "91 SiteRef: Site",
        "92 DomainRef: Isolation domain of a segment or loopback",
        "93 SegmentRef: Segment that a port carries or a service listens on",
        "94 EndARef: First node of a link",
        "95 EndBRef: Second node of a link",
        "96 LogToRef: Service that a rule logs to",
        "97 ProfileRef: Profile of a node",
        "98 ClassRef: Class of a device",
    ),
    *_types(
        "dn",
        "100 NodeRef: Nodes on which something lives",
        "101 LabelRef: Labels of the data that a segment carries",
        "102 AboveRef: Labels that are less sensitive",
        "103 DeviceRef: Device classes that a segment admits",
        "104 SourceRef: Segments that a role comes from",
        "105 IncludesRef: Roles that a member of a role also holds",
        "106 RoleRef: Roles that no session has together",
        "107 SubjectRef: Who a rule is about; the container of segments stands for each of them",
        "108 TargetRef: What a rule leads to",
        "109 ReleasesRef: Labels that a rule may release",
        "110 HolderRef: Nodes that hold a key",
        "111 AdmitsRef: Isolation domains that may cross a tunnel",
        "112 HoldsRef: Roles that a person holds",
        single=False,
    ),
)


def _class(number: int, name: str, description: str, may: str = "", must: str = "cn", kind: str = "STRUCTURAL") -> ObjectClass:
    def named(words: str) -> tuple[str, ...]:
        return tuple(word if word[0].islower() else f"ztos{word}" for word in words.split())

    fields = {"number": number, "name": f"ztos{name}", "description": description, "kind": kind}
    return ObjectClass.model_validate({**fields, "must": named(must), "may": named(may)})


_WITHIN = "Within Countries"
_RULE = "Because Owner Purpose ReviewBy Ticket ApprovedBy Agreement Environment LogToRef Idle ReleasesRef Release Quarantine"
_GOVERNED = "Owner Purpose ReviewBy Ticket ApprovedBy Agreement Environment LogToRef Idle ReleasesRef Release"

CLASSES = (
    _class(1, "Network", "The overlay as a whole", "Timezone description", "Prefix Nat64Prefix Asn", "AUXILIARY"),
    _class(2, "Region", "A jurisdiction; without a country it is inside nothing", "Country Evidence description"),
    _class(3, "Site", "A place with nodes", "description", "cn RegionRef"),
    _class(4, "Node", "A node", "Serves ProfileRef associatedDomain description", "cn SiteRef Underlay Asn RouterId"),
    _class(5, "Loopback", "Addresses of a node in an isolation domain", "associatedDomain", "cn DomainRef Address Vtep"),
    _class(6, "NodePort", "A port of a node that carries a segment", "Vlan", "cn PortName PortKind SegmentRef"),
    _class(7, "Domain", "Segments that share a routing table and where their data may live", _WITHIN, "cn L3vni Interface"),
    _class(
        8,
        "Segment",
        "A micro-segment",
        f"LabelRef DeviceRef {_WITHIN} Ipv4Prefix Multicast Lease Size description",
        "cn Vni DomainRef Interface Addressing AdmitsPeople AdmitsUnknown Stretched Mdns AccessTunnel Observe",
    ),
    _class(9, "Place", "A segment at a site", "NodeRef", "cn SiteRef Prefix Gateway"),
    _class(10, "Label", "A class of data", f"Rekey Retention AboveRef {_WITHIN} description", "cn Encryption PreSharedKey"),
    _class(11, "DeviceClass", "A class of device", "Port description", "cn RecognisedBy"),
    _class(12, "AttributeDefinition", "A declared attribute", "Source MaxAge description", "cn ValueType LdapAttribute"),
    _class(
        13,
        "Role",
        "People; members are other entries, and there may be none",
        "member IncludesRef SourceRef BreakGlass Stale description",
        "cn Guard GuardText",
    ),
    _class(14, "Separation", "Roles that no session has together", "", "cn RoleRef"),
    _class(15, "Service", "Something that listens", "Port description", "cn SegmentRef Replicas associatedDomain"),
    _class(16, "Endpoint", "A replica of a service", "", "cn SiteRef NodeRef Address associatedDomain"),
    _class(17, "External", "A network that is not ours", "Prefix description"),
    _class(18, "System", "A service of the nodes themselves", "Port Address description", "cn Serves"),
    _class(
        19, "Grant", "A rule", f"Port Window NotBefore NotAfter Stale {_RULE} description", "cn Effect SubjectRef TargetRef Guard GuardText"
    ),
    _class(
        20,
        "Link",
        "An adjacency, and the tunnel over it",
        "Bandwidth Interface EndAAddress EndBAddress UdpPort AdmitsRef",
        "cn EndARef EndBRef Macsec Cost",
    ),
    _class(
        21, "Key", "That a key is, who holds it and until when; never the key", "", "cn KeyPurpose HolderRef Epoch Rekey NotBefore NotAfter"
    ),
    _class(22, "Profile", "All files of a node, by digest", "", "cn NodeRef ProfileDigest"),
    _class(23, "DnsName", "Records of a name", "AaaaRecord SrvRecord PtrRecord", "cn associatedDomain Ttl", "AUXILIARY"),
    _class(24, "Person", "Somebody, with the roles they hold", "FullName HoldsRef", "uid", "AUXILIARY"),
    _class(25, "Device", "A device of a class", "SegmentRef MacAddress CertificateDigest", "cn ClassRef"),
    _class(26, "Partner", "The overlay of another organisation", "description", "cn PartnerDomain CertificateDigest"),
    _class(27, "Governed", "What oversight asks of a declaration", _GOVERNED, "", "AUXILIARY"),
)

STANDARD_CLASSES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "organizationalUnit": ("STRUCTURAL", ("ou",), ("description",)),
    "account": ("STRUCTURAL", ("uid",), ("description",)),
    "domain": ("STRUCTURAL", ("dc",), ("description", "associatedName", "o")),
    "dNSDomain": ("STRUCTURAL", ("dc",), ("description", "sOARecord", "nSRecord")),
    "domainRelatedObject": ("AUXILIARY", ("associatedDomain",), ()),
}
"""What we use of RFC 4519, RFC 4524 and RFC 1274: kind, and what an entry must and may have."""

STANDARD_TYPES: dict[str, tuple[Kind, bool]] = {
    "objectClass": ("word", False),
    "cn": ("text", False),
    "uid": ("text", False),
    "ou": ("text", False),
    "dc": ("word", True),
    "description": ("text", False),
    "member": ("dn", False),
    "associatedDomain": ("word", False),
    "sOARecord": ("word", False),
    "nSRecord": ("word", False),
}
"""Of the same sources: how values compare, and whether there is but one."""

FACT_KINDS: dict[str, Kind] = {
    "bool": "boolean",
    "enum": "word",
    "range": "integer",
    "country": "word",
    "instant": "time",
    "duration": "integer",
}


def fact_name(attribute: str) -> str:
    """The LDAP name of a declared attribute. A dot becomes two hyphens, which no declared name has."""
    return f"ztos-{attribute.replace('.', '--')}"


def fact_number(attribute: str) -> int:
    """The number of a declared attribute below the arc of facts: the first bits of a digest of its name."""
    return int.from_bytes(hashlib.sha256(attribute.encode()).digest()[:8], "big") >> (64 - FACT_BITS)


def schema(attributes: Iterable[Attribute]) -> Schema:
    """Our types and classes, and a type for each declared attribute. Raises `ValueError` where two would have one number."""
    ordered = sorted(attributes, key=lambda attribute: attribute.name)
    facts = tuple(
        AttributeType(
            number=fact_number(each.name),
            name=fact_name(each.name),
            kind=FACT_KINDS[each.type.kind],
            description=f"Declared attribute {each.name}",
            fact=True,
        )
        for each in ordered
    )
    if len({fact.number for fact in facts}) != len(facts):
        raise ValueError("two declared attributes would have one number")
    held = FACTS.model_copy(update={"may": tuple(fact.name for fact in facts)})
    return Schema(types=(*TYPES, *facts), classes=(*CLASSES, held) if facts else CLASSES)


def types_of(known: Schema) -> dict[str, tuple[Kind, bool]]:
    """How values of each attribute compare, and whether there is but one: ours and the standard ones."""
    return {**STANDARD_TYPES, **{each.name: (each.kind, each.single) for each in known.types}}


def classes_of(known: Schema) -> dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Kind, and what an entry must and may have, by class: ours and the standard ones."""
    return {**STANDARD_CLASSES, **{each.name: (each.kind, each.must, each.may) for each in known.classes}}
