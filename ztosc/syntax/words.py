"""The words that open statements and blocks."""

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
}
"""The grammar's start for one item of a block, by the keyword that opens the block."""
