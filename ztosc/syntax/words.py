"""The words that open statements and blocks, and the rules of the grammar that are named like what they read."""

ITEMS = {
    "network": "network_item",
    "region": "region_item",
    "site": "site_item",
    "node": "node_item",
    "link": "link_item",
    "segment": "segment_item",
    "label": "label_item",
    "device": "device_item",
    "attribute": "attribute_item",
    "role": "role_item",
    "service": "service_item",
    "external": "external_item",
    "system": "system_item",
    "allow": "rule_item",
    "deny": "rule_item",
    "quarantine": "governed",
    "test": "test_item",
    "break-glass": "role_item",
    "partner": "partner_item",
    "template": "statement",
    "profile": "profile_item",
    "control": "control_item",
    "comply": "governed",
    "waive": "governed",
    "accept": "governed",
}
"""The grammar's start for one item of a block, by the keyword that opens the block."""
CLAUSES = frozenset(
    """
    above access_tunnel addressing admits agreement approved asn at bandwidth because between ca carries cost country dns_name
    domain encryption environment evidence from_ hint idle includes ipv4 lease listen log_all log_to macsec manage manual max_age
    mdns multicast observe on on_days owner prefix psk purpose reach recognised rekey releases replicas require requires
    retention review scope served serves size source speaks stale stretched ticket timezone underlay until when within
    """.split()  # noqa: SIM905 - sixty lines otherwise
)
"""The rules that are a clause under their own name."""
DECLARATIONS = frozenset("network region node segment label device attribute role external system partner".split())  # noqa: SIM905
"""The rules that are a keyword, a name and a block."""

ACCEPTED = (
    *("access", "rule", "assert", "test", "separate", "comply", "manage", "control", "waive", "lock", "person", "device", "link", "node"),
    *("label", "segment", "role", "attribute", "class", "service", "external", "partner", "region"),
)
"""What an `accept widening` may name. `device` is one of the inventory, `class` a class of them."""
RELATIONS = ("carries", "admits", "releases", "above", "as", "without", "with", "stale", "idle", "log")
"""What may stand between its names."""
