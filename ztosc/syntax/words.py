"""The words that open statements and blocks, and those whose time has not come."""

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
    "test": "test_item",
}
"""The grammar's start for one item of a block, by the keyword that opens the block."""

LATER = {
    "template": "templates",
    "new": "templates",
    "profile": "compliance profiles",
    "comply": "compliance",
    "waive": "compliance",
    "partner": "federation of two overlays",
    "quarantine": "incident response",
    "break-glass": "break-glass roles",
    "manage": "access to the nodes themselves",
    "multicast": "multicast segments",
    "mdns": "mDNS",
    "ipv4": "segments with IPv4",
    "stretched": "stretched segments",
    "access": "access tunnels",
    "observe": "observing segments",
    "max-age": "ages of facts",
    "retention": "retention",
    "stale": "staleness bounds",
    "flows": "orders of sensitivity",
    "log": "log sinks",
    "idle": "idle limits",
}
"""Words of the language that this version cannot enforce yet; they are an error, never ignored."""
