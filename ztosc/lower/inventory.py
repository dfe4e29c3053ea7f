"""Checks of the inventory against the model.

Guarantees: a device lists the proof by which its class is recognised and belongs where the class is admitted; no more
replicas are listed than a service has; whoever holds separated roles is named.
"""

from __future__ import annotations

from ztosc.diagnostics import Label, Report
from ztosc.ir.intent import Intent
from ztosc.ir.inventory import Device


def check(intent: Intent, report: Report) -> None:
    """Every check of this room."""
    for device in intent.inventory.devices:
        _proof(intent, device, report)
        _admitted(intent, device, report)
    _proofs_twice(intent, report)
    _separated(intent, report)
    _pins(intent, report)


def _proof(intent: Intent, device: Device, report: Report) -> None:
    wanted = next((each.recognised_by for each in intent.devices if each.name == device.device_class), "inventory")
    if (wanted == "certificate" and device.certificate is None) or (wanted == "mac" and device.mac is None):
        message = f"device `{device.name}` has no `{wanted}`, by which class `{device.device_class}` is recognised"
        report.error("ZT319", message, device.origin, help=f"add `{wanted}: …` to its entry")


def _admitted(intent: Intent, device: Device, report: Report) -> None:
    segment = next((each for each in intent.segments if each.name == device.segment), None)
    if segment is not None and device.device_class not in segment.admits:
        report.error(
            "ZT319",
            f"device `{device.name}` belongs to segment `{segment.name}`, which does not admit `{device.device_class}`",
            device.origin,
            help=f"add `{device.device_class}` to its `admits`, or name another segment",
            related=[Label(segment.origin, "the segment")],
        )


def _proofs_twice(intent: Intent, report: Report) -> None:
    for proof in ("mac", "certificate"):
        first: dict[str, Device] = {}
        for device in intent.inventory.devices:
            value = getattr(device, proof)
            if value is not None and first.setdefault(value, device) is not device:
                other = first[value]
                report.error(
                    "ZT319",
                    f"devices `{other.name}` and `{device.name}` have the same `{proof}`",
                    device.origin,
                    help="two devices that look alike cannot be told apart; correct one of them",
                    related=[Label(other.origin, "the other")],
                )


def _separated(intent: Intent, report: Report) -> None:
    included = {role.name: (role.name, *role.includes) for role in intent.roles}
    for person in intent.inventory.people:
        held = {each for role in person.roles for each in included.get(role, (role,))}
        for separation in intent.separations:
            both = [role for role in separation.roles if role in held]
            if len(both) > 1:
                names = " and ".join(f"`{each}`" for each in both)
                report.warning(
                    "ZT407",
                    f"`{person.name}` holds {names}, which are separated",
                    person.origin,
                    help="no session acts as both; take one role from them if nobody should hold both",
                    related=[Label(separation.origin, "separated here")],
                )


def _pins(intent: Intent, report: Report) -> None:
    services = {service.name: service for service in intent.services}
    count: dict[str, int] = {}
    for pin in intent.inventory.pins:
        service = services.get(pin.service)
        if service is None:
            continue
        count[service.name] = count.get(service.name, 0) + 1
        if count[service.name] == service.replicas + 1:
            report.error(
                "ZT320",
                f"more endpoints of `{service.name}` are listed than it has replicas ({service.replicas})",
                pin.origin,
                help=f"raise `replicas` of `{service.name}`, or take an entry out",
                related=[Label(service.origin, "the service")],
            )
