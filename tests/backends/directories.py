"""Directories for tests: of whole networks, and with words in every text that people may write as they like."""

from __future__ import annotations

from typing import Any

from tests.backends.cases import HOSTILE, keywords
from ztosc.backends import NetworkSpec, backends, render
from ztosc.backends.ldap import BACKEND
from ztosc.backends.ldap.model import Directory
from ztosc.ir.intent import Governance, Intent
from ztosc.ir.network import Network
from ztosc.nodes import project

WORDS = (
    *HOSTILE,
    " leads",
    "ends ",
    "#first",
    "a+b=c,d",
    "<url",
    ":colon",
    "\u00a0",
    "a  b",
    "A B",
    "\ufb01",  # a ligature, which compares as the two letters that it is made of
    "dn: cn=x",
    "file:///etc/passwd",
    "\\2C",
)


def specified(network: Network) -> NetworkSpec:
    """A network with all files of its nodes."""
    return NetworkSpec(network, render(project(network), backends()))


def directory(network: Network) -> Directory:
    """The directory of a network."""
    return BACKEND.lower(specified(network))


def _told(intent: Intent, name: str, word: str) -> tuple[Any, ...]:
    found = enumerate(getattr(intent, name))
    return tuple(each.model_copy(update={"doc": f"{index}{word}" if index % 2 else word}) for index, each in found)


def talkative(word: str) -> Network:
    """A network in which somebody wrote a word wherever the language takes any text."""
    network = keywords()
    intent = network.intent
    declared = ("regions", "sites", "nodes", "labels", "devices", "attributes", "segments", "roles", "services", "externals", "systems")
    changes: dict[str, Any] = {name: _told(intent, name, word) for name in declared}
    changes["network"] = intent.network.model_copy(update={"doc": word})
    changes["regions"] = tuple(each.model_copy(update={"evidence": word}) for each in changes["regions"])
    changes["attributes"] = tuple(each.model_copy(update={"source": word}) for each in changes["attributes"])
    tickets = (word, *WORDS)
    governance = Governance(owner=word, purpose=word, agreement=word, tickets=tickets, approved_by=tickets)
    update = {"doc": word, "because": word, "governance": governance}
    changes["rules"] = tuple(rule.model_copy(update=update) for rule in intent.rules)
    return network.model_copy(update={"intent": intent.model_copy(update=changes)})
