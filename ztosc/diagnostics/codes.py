"""Every diagnostic code that there is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A stable code and what it stands for, in a few words; its page is `docs/diagnostics/<code>.md`."""

    code: str
    title: str


_TITLES = {
    # ZT1xx: syntax
    "ZT101": "a file is not UTF-8 text",
    "ZT102": "an invisible character",
    "ZT103": "a bracket without its partner",
    "ZT104": "a list or guard broken across lines",
    "ZT105": "something unexpected in a statement",
    "ZT106": "an unknown word where a keyword belongs",
    "ZT107": "a text without its closing quote",
    "ZT108": "a line that is too long",
    "ZT109": "brackets nested too deep",
    "ZT110": "a character that only looks like one of the language",
    # ZT2xx: names and types
    "ZT201": "an unknown name",
    "ZT202": "a name declared twice",
    "ZT203": "a name of the wrong kind",
    "ZT204": "an import of a module that is not there",
    "ZT205": "imports that go in a circle",
    "ZT206": "an import from outside the project",
    "ZT207": "a clause given twice",
    "ZT208": "a clause that is missing",
    "ZT209": "a guard that compares what cannot be compared",
    "ZT210": "a value that a clause does not know",
    "ZT211": "an unknown country",
    "ZT212": "an unknown time zone",
    "ZT213": "a literal that is no address, prefix, port or instant",
    "ZT214": "declarations that go in a circle",
    "ZT215": "a name that cannot become a network name",
    "ZT216": "a parameter outside of a template",
    "ZT217": "a template that is used or written wrongly",
    "ZT218": "templates that grow without end",
    "ZT220": "a project without a network",
    "ZT221": "more than one network",
    "ZT222": "a project file that cannot be used",
    "ZT223": "a source that cannot be read",
    "ZT224": "a key file that cannot be used",
    "ZT225": "an inventory that cannot be used",
    # ZT3xx: the model
    "ZT301": "one address used twice",
    "ZT302": "prefixes that overlap",
    "ZT303": "an overlay prefix that holds an underlay address",
    "ZT304": "a segment attached where it does not live",
    "ZT305": "a segment that lives nowhere",
    "ZT306": "a service on no segment",
    "ZT307": "a role from a segment that admits no people",
    "ZT308": "a link that cannot be",
    "ZT310": "a lock that was edited by hand",
    "ZT311": "a lock of an older format",
    "ZT312": "a lock of a newer format",
    "ZT313": "a lock that would have to change",
    "ZT314": "a pool of numbers that is used up",
    "ZT315": "a segment outside its jurisdiction",
    "ZT316": "a grant without a path",
    "ZT317": "a port that carries two segments",
    "ZT318": "an overlay prefix that cannot be used",
    "ZT319": "a device that could not be recognised or admitted",
    "ZT320": "a replica where it cannot run",
    "ZT321": "an IPv4 prefix that a segment cannot have",
    # ZT4xx: policy
    "ZT401": "a grant that does not say its ports",
    "ZT402": "a deny that whoever does not sign in would pass",
    "ZT403": "a time in which nothing can happen",
    "ZT404": "a subject or target of a kind that cannot be one",
    "ZT405": "a grant that is over",
    "ZT406": "separated roles held by one",
    "ZT407": "a person who holds separated roles",
    "ZT408": "a guard that nobody can satisfy",
    "ZT420": "an assertion that does not hold",
    "ZT421": "an assertion that could not be decided",
    "ZT422": "an assertion that is not supported",
    "ZT423": "a test that fails",
    "ZT430": "access that nobody signed for",
    "ZT431": "a guarantee that is lost",
    "ZT432": "a person or device that has become something else",
    "ZT433": "a number of the lock that changed",
    "ZT434": "an assertion of the base that does not hold any more",
    "ZT435": "an acceptance of something that nobody knows",
    "ZT436": "an acceptance that accepts nothing",
    "ZT437": "a base that cannot be compared with",
    "ZT438": "access that could not be compared",
    # ZT44x, ZT45x: least privilege, findings that change no exit code without `--strict`
    "ZT440": "a grant that nobody can use",
    "ZT441": "a rule that others make redundant",
    "ZT442": "a grant on ports where nothing listens",
    "ZT443": "a grant on any port",
    "ZT444": "a grant that widens by itself",
    "ZT445": "a role that nobody can act in",
    "ZT446": "a deny that denies nothing",
    "ZT447": "a segment without a label",
    "ZT448": "a grant that rests on weak assurance",
    "ZT449": "a master of the directory beside endpoints",
    "ZT450": "a grant that denies take away",
    "ZT451": "a claim about what is nowhere",
    # ZT5xx: compliance
    "ZT501": "a control that was not judged",
    "ZT502": "a waiver of a control that is not there",
    "ZT503": "a waiver that has ended",
    # ZT6xx: targets
    "ZT601": "a file that its own tool refuses",
    "ZT602": "a file that does not mean the network",
    "ZT603": "something that a target cannot express",
    "ZT604": "a node without a public key",
    # ZT7xx: output and deployment
    "ZT701": "an output that cannot be written",
}

CODES = {code: Code(code, title) for code, title in _TITLES.items()}
