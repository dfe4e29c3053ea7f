"""The syntax tree: what the text says, nothing bound, nothing typed; every piece knows where it stands.

Guarantees: values only. A declaration whose text was broken is still here with what could be read of it (`broken`), so that its
name does not go missing.
"""

from __future__ import annotations

from dataclasses import dataclass

from ztosc.source import Source, Span


@dataclass(frozen=True, slots=True)
class Word:
    """One token: `kind` is its terminal in the grammar (`NAME`, `ADDRESS`, …)."""

    kind: str
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Ports:
    """A list of ports; `any` with `words` empty. `excepted` takes away."""

    any: bool
    words: tuple[Word, ...]
    excepted: tuple[Word, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Holds:
    """A bare attribute in a guard."""

    attribute: Word
    span: Span


@dataclass(frozen=True, slots=True)
class Comparison:
    """`attribute OPERATOR value`; operator `in` has several values."""

    attribute: Word
    operator: str
    values: tuple[Word, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Relation:
    """`path is KIND`, `has CLAUSE`, `carries LABEL`, `may carry LABEL`, `within PLACES`: what a control asks of the model."""

    subject: Word
    relation: str
    objects: tuple[Word, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Logic:
    """`and`, `or`, `not`, `implies` over parts."""

    operator: str
    parts: tuple[Expression, ...]
    span: Span


Expression = Holds | Comparison | Relation | Logic


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of a block or rule: its key, its words, and the one structured value it may have."""

    key: str
    words: tuple[Word, ...]
    span: Span
    value: Ports | Expression | None = None


@dataclass(frozen=True, slots=True)
class Attach:
    """`attach PORT [vlan N] to SEGMENT [KIND]`."""

    port: Word
    vlan: Word | None
    segment: Word
    kind: Word | None
    span: Span


@dataclass(frozen=True, slots=True)
class AttributeType:
    """`bool`, `one of a, b`, `ordered a < b`, `0..100` and so on: the words as written."""

    words: tuple[Word, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Declaration:
    """A named thing. `head` holds the names after its own (`in REGION`, `on SEGMENT`, the ends of a link)."""

    kind: str
    name: Word
    head: tuple[Word, ...]
    items: tuple[Clause | Attach | Declaration, ...]
    span: Span
    type: AttributeType | None = None
    doc: str = ""
    broken: bool = False

    def clauses(self) -> tuple[Clause, ...]:
        """The clauses of the block, without what is nested."""
        return tuple(item for item in self.items if isinstance(item, Clause))


@dataclass(frozen=True, slots=True)
class Import:
    """`import std.identity` or `import "folder/file.ztos"`."""

    target: Word
    span: Span


@dataclass(frozen=True, slots=True)
class Separate:
    """`separate a, b`."""

    roles: tuple[Word, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Group:
    """`group x = a, b except c`."""

    name: Word
    members: tuple[Word, ...]
    excepted: tuple[Word, ...]
    span: Span
    doc: str = ""
    broken: bool = False


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """`allow … to …` or `deny … to …` with its clauses and the block of what governance asks."""

    effect: str
    subjects: tuple[Word, ...]
    targets: tuple[Word, ...]
    clauses: tuple[Clause, ...]
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Assertion:
    """`assert …`: `claim` names the form; `places` or `despite` where the form has them."""

    claim: str
    subjects: tuple[Word, ...]
    targets: tuple[Word, ...]
    through: tuple[Word, ...]
    failures: Word | None
    failing: str
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Setting:
    """`attribute = value` of a test."""

    attribute: Word
    value: Word


@dataclass(frozen=True, slots=True)
class Given:
    """The `given` line of a test."""

    subjects: tuple[Word, ...]
    source: Word | None
    settings: tuple[Setting, ...]
    instant: Word | None
    span: Span


@dataclass(frozen=True, slots=True)
class Expect:
    """An `expect` line of a test."""

    effect: str
    target: Word
    ports: Ports | None
    span: Span


@dataclass(frozen=True, slots=True)
class Test:
    """A `test` block."""

    __test__ = False  # not a pytest class, in spite of its name

    name: Word
    given: tuple[Given, ...]
    expects: tuple[Expect, ...]
    span: Span
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Quarantine:
    """`quarantine WHAT from INSTANT because "…"`; its clauses hold `from`, `because` and what governance asks."""

    what: tuple[Word, ...]
    clauses: tuple[Clause, ...]
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a template; without a type it is a name."""

    name: Word
    type: Word | None
    default: Word | None
    span: Span


@dataclass(frozen=True, slots=True)
class Template:
    """A block of statements with `${parameters}` in their words."""

    name: Word
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    span: Span
    doc: str = ""
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Argument:
    """`parameter: value` in the use of a template."""

    name: Word
    value: Word


@dataclass(frozen=True, slots=True)
class New:
    """The use of a template."""

    template: Word
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Each:
    """`each KIND VARIABLE where CONDITION`."""

    kind: Word
    variable: Word
    where: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Control:
    """A control of a profile: what it quantifies over (`each`) and its clauses (`require`, `hint`, `manual`)."""

    name: Word
    severity: str
    title: Word
    each: tuple[Each, ...]
    clauses: tuple[Clause, ...]
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A compliance regime."""

    name: Word
    labels: tuple[Word, ...]
    controls: tuple[Control, ...]
    clauses: tuple[Clause, ...]
    span: Span
    doc: str = ""
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Comply:
    """`comply PROFILE`."""

    profiles: tuple[Word, ...]
    clauses: tuple[Clause, ...]
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Waive:
    """`waive PROFILE "CONTROL" for SCOPE until INSTANT because "…"`."""

    profile: Word
    control: Word
    clauses: tuple[Clause, ...]
    span: Span
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Accept:
    """`accept widening WHAT because "…" approved by "…"`: `what` names the form, `relation` what stands between its names."""

    what: str
    relation: str
    subjects: tuple[Word, ...]
    objects: tuple[Word, ...]
    more: tuple[Word, ...]
    clauses: tuple[Clause, ...]
    span: Span
    doc: str = ""


Statement = (
    Import
    | Declaration
    | Separate
    | Group
    | PolicyRule
    | Quarantine
    | Assertion
    | Test
    | Template
    | New
    | Profile
    | Comply
    | Waive
    | Accept
)
Item = Statement | Clause | Attach | Given | Expect | Each | Control


@dataclass(frozen=True, slots=True)
class Module:
    """One file."""

    source: Source
    statements: tuple[Statement, ...]
