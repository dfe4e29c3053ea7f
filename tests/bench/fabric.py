"""A fabric of any size with the shape of a hospital group: sites of four nodes on two rings, a staff, a device and a server segment each.

`fabric(n)` is the source text of a network with n nodes; the same n gives the same text. `skip` leaves one node out, to measure what the
insertion of one node changes.
"""

from __future__ import annotations

SITE = 4
"""Nodes a site."""


def fabric(nodes: int, skip: int | None = None) -> str:
    """The text of a project with so many nodes (a multiple of four)."""
    sites = nodes // SITE
    parts = [HEAD]
    for site in range(sites):
        parts.append(site_text(site, skip))
    parts.extend(f"link n{site}-{ring} -- n{(site + 1) % sites}-{ring}" for site in range(sites) for ring in (0, 1) if sites > 1)
    shared = ", ".join(f"s{site}" for site in range(sites))
    parts.append(f"segment office {{ at {shared}; admits people; carries internal }}")
    parts.append("role clerk { from office; requires user.mfa }\nallow clerk to records-0\nallow office to internet on tcp/443\n")
    return "\n".join(parts)


def names(nodes: int, skip: int | None = None) -> list[str]:
    """The names of its nodes, in order."""
    return [f"n{number // SITE}-{number % SITE}" for number in range(nodes) if number != skip]


HEAD = """import std.identity
import std.medical
network fabric { domain "fabric.example"
  prefix fd3c:91a2:77e1::/48
}
region home { country DE }
external internet { reach ::/0, 0.0.0.0/0 }
"""


def site_text(site: int, skip: int | None) -> str:
    """The text of one site and of who works there."""
    nodes = "\n".join(_node(site, index) for index in range(SITE) if site * SITE + index != skip)
    inner = "\n".join(f"  link n{site}-{index} -- n{site}-{(index + 1) % SITE}" for index in range(SITE) if _linked(site, index, skip))
    return f"""site s{site} in home {{
{nodes}
{inner}
}}
segment staff-{site} {{ at s{site}; admits people; carries internal }}
segment pumps-{site} {{ at s{site}; admits infusion-pump; carries internal }}
segment rack-{site} {{ at s{site}; carries internal }}
service records-{site} on rack-{site} {{ listen tcp/443; replicas 2 }}
service hub-{site} on rack-{site} {{ listen tcp/8883 }}
role nurse-{site} {{ from staff-{site}; requires user.mfa and device.health == healthy }}
role tech-{site} {{ from staff-{site}; requires user.mfa }}
allow nurse-{site} to records-{site}
allow pumps-{site} to hub-{site}
allow tech-{site} to pumps-{site} on tcp/22 when device.managed
"""


def _linked(site: int, index: int, skip: int | None) -> bool:
    ends = {site * SITE + index, site * SITE + (index + 1) % SITE}
    return skip not in ends and (SITE > 2 or index == 0)


def _node(site: int, index: int) -> str:
    serves = "gateway, reflector, resolver, directory" if site < 2 and index < 2 else "gateway"
    kinds = [f"staff-{site} dot1x", f"pumps-{site}", f"rack-{site} exclusive", "office dot1x"]
    ports = [f"attach eth{port} to {kind}" for port, kind in enumerate(kinds, start=2)]
    return f"  node n{site}-{index} {{ underlay 2001:db8:{site:x}::{index + 1:x}; serves {serves}\n    {'; '.join(ports)}\n  }}"
