"""`Program` to `Intent`: sugar goes, defaults come, and the model is checked as a whole.

Guarantees: what comes out is sorted and resolved; every rule that is in it means exactly what its line says; what contradicts itself
is reported with both places.
"""

from __future__ import annotations

from ztosc.diagnostics import Report
from ztosc.ir.intent import Intent
from ztosc.lower import acceptances, claims, entities, inventory, model, policy, regimes, rules, voids
from ztosc.semantics import Program


def lower(program: Program, at: int, report: Report) -> Intent | None:
    """The Intent of a program at an instant (seconds since 1970); nothing where there is no network to speak of."""
    network = entities.network(program)
    if network is None:
        model.check_without_network(program, report)
        return None
    if not report.failed:  # of a name that is wrong enough is said
        voids.check(program, report)
    zone = network.timezone
    intent = Intent(
        network=network,
        regions=entities.regions(program),
        sites=entities.sites(program),
        nodes=entities.nodes(program),
        links=entities.links(program, report),
        labels=entities.labels(program),
        devices=entities.devices(program),
        attributes=entities.attributes(program),
        segments=entities.segments(program),
        roles=entities.roles(program, report),
        separations=entities.separations(program),
        services=entities.services(program, report),
        externals=entities.externals(program),
        partners=entities.partners(program),
        systems=entities.systems(program),
        rules=(*rules.rules(program, zone, network.log_all), *rules.system_rules(program, network.log_all)),
        assertions=claims.assertions(program),
        tests=claims.tests(program, zone, report),
        profiles=regimes.profiles(program),
        compliance=regimes.compliance(program),
        waivers=regimes.waivers(program, zone, at, report),
        acceptances=acceptances.acceptances(program, zone),
        inventory=program.inventory,
        public_keys=program.public_keys,
    )
    model.check(intent, report)
    inventory.check(intent, report)
    policy.check(intent, at, report)
    acceptances.check(intent, report)
    return intent
