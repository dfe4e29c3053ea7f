"""`ztosc schema`."""

from __future__ import annotations

import json
from typing import Any

import click

from ztosc.diagnostics import near

NAMES = ("intent", "ir", "lock", "verdict", "flow")


def _schema(name: str) -> dict[str, Any]:
    from ztosc.allocate.lock import Record
    from ztosc.ir.base import Model
    from ztosc.ir.flow import Flow
    from ztosc.ir.intent import Intent
    from ztosc.ir.network import Network
    from ztosc.ir.verdict import Verdict

    models: dict[str, type[Model]] = {"ir": Network, "intent": Intent, "lock": Record, "verdict": Verdict, "flow": Flow}
    schema = models[name].model_json_schema()
    if name == "lock":
        head = {"schema": {"const": 1}, "network": {"type": "string"}, "generation": {"type": "integer"}, "checksum": {"type": "string"}}
        return {"type": "object", "properties": {**head, "records": {"type": "array", "items": schema}}, "required": [*head, "records"]}
    return schema


@click.command("schema")
@click.argument("name")
def command(name: str) -> int:
    """The JSON schema of a format: ir (the allocated network), intent, lock, verdict, flow."""
    if name not in NAMES:
        guess = near(name, NAMES)
        raise click.UsageError(
            f"there is no schema `{name}`; " + (f"did you mean `{guess}`?" if guess else "there are " + ", ".join(NAMES))
        )
    click.echo(json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **_schema(name)}, indent=2, sort_keys=True))
    return 0
