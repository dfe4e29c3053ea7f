"""Flows and the principals that initiate them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ztosc.ir.base import Model
from ztosc.ir.intent import Rule
from ztosc.ir.values import Value


class Person(Model):
    """Someone with *all* the roles they hold, and the attributes of user, device and session that are present."""

    kind: Literal["person"] = "person"
    roles: tuple[str, ...] = ()
    attributes: tuple[tuple[str, Value], ...] = ()


class DevicePrincipal(Model):
    """A device of a class."""

    kind: Literal["device"] = "device"
    device: str
    attributes: tuple[tuple[str, Value], ...] = ()


class ServiceEndpoint(Model):
    """A replica of a service."""

    kind: Literal["service"] = "service"
    service: str
    attributes: tuple[tuple[str, Value], ...] = ()


class Host(Model):
    """Whatever else sits there, known by its place alone."""

    kind: Literal["host"] = "host"
    attributes: tuple[tuple[str, Value], ...] = ()


Principal = Annotated[Person | DevicePrincipal | ServiceEndpoint | Host, Field(discriminator="kind")]


class Place(Model):
    """An end of a flow. A `service` is named where the destination is one of its endpoints."""

    kind: Literal["segment", "external", "system"]
    name: str
    service: str | None = None


class Flow(Model):
    """One attempt to initiate: from, by whom, to, on what, when (seconds since 1970)."""

    source: Place
    principal: Principal
    destination: Place
    protocol: int
    port: int
    instant: int


class Decision(Model):
    """The answer: the rule that decided, or none where nothing allows. `reason` is one sentence."""

    effect: Literal["allow", "deny"]
    rule: Rule | None
    reason: str

    @property
    def allowed(self) -> bool:
        """Whether the flow may be initiated."""
        return self.effect == "allow"
