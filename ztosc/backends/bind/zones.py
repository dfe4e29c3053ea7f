"""Zone files (RFC 1035 §5), written and read by dnspython.

Guarantees: `$TTL` and the SOA record first, the rest sorted by name, type and value; one record a line, absolute names.
"""

from __future__ import annotations

from functools import lru_cache

from ztosc.backends.base import ReadFault
from ztosc.nodes.spec import Record, ZoneSpec


@lru_cache(maxsize=8)  # every resolver serves the same zones
def canonical_zone(zone: ZoneSpec) -> ZoneSpec:
    """The zone with every value as dnspython writes it, SOA first, the rest in order. Raises `ValueError` for what is no record."""
    import dns.exception
    import dns.name
    import dns.rdata
    import dns.rdataclass

    found = []
    for record in zone.records:
        try:
            value = dns.rdata.from_text(dns.rdataclass.IN, record.type, record.value).to_text()
            name = dns.name.from_text(record.name).to_text()
        except dns.exception.DNSException as error:
            raise ValueError(f"{record.name} {record.type} {record.value}: {error}") from error
        found.append(record.model_copy(update={"name": name, "value": value}))
    return zone.model_copy(update={"records": _ordered(found)})


def _ordered(records: list[Record]) -> tuple[Record, ...]:
    return tuple(sorted(records, key=lambda record: (record.type != "SOA", record.name, record.type, record.value)))


def zone_text(zone: ZoneSpec) -> bytes:
    """The zone file."""
    lines = [f"$TTL {zone.ttl}", *(f"{record.name} IN {record.type} {record.value}" for record in zone.records)]
    return "".join(f"{line}\n" for line in lines).encode()


def read_zone(name: str, path: str, content: bytes) -> ZoneSpec:
    """The zone that a file holds. Raises `ReadFault` for what is no zone, names another origin, or has records of several TTLs."""
    import dns.exception
    import dns.zone

    try:
        text = content.decode()
        zone = dns.zone.from_text(text, origin=f"{name}.", relativize=False, allow_include=False)
    except (dns.exception.DNSException, UnicodeDecodeError, ValueError) as error:
        raise ReadFault(path, 1, f"this is no zone: {error}") from error
    found, ttls = [], set()
    for owner, ttl, rdata in zone.iterate_rdatas():
        ttls.add(ttl)
        found.append({"name": owner.to_text(), "type": rdata.rdtype.name, "value": rdata.to_text()})
    if len(ttls) != 1:
        raise ReadFault(path, 1, "records have more than one TTL")
    try:
        records = [Record.model_validate(each) for each in found]
    except ValueError as error:
        raise ReadFault(path, 1, f"a record is of a type that no zone of ours has: {error}") from error
    return ZoneSpec(name=f"{name}.", ttl=ttls.pop(), records=_ordered(records))
