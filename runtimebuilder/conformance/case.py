"""What a case is, and the registry of all cases.

A case checks one requirement. It is a pytest function that carries its facts: a stable id, a level, one
sentence of requirement, the documentation page behind it, and what it needs from the probe. Ids are for
ever: a case is never renumbered and an id is never used again for something else.
"""

from __future__ import annotations

import enum
import fnmatch
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

_DOCUMENTATION = "https://docs.aws.amazon.com/lambda/latest/dg/{page}.html"
SUITE_SUFFIX = ".json"
"""How the name of a file ends that holds a suite, and with it the page of its cases."""

_ID = re.compile(r"[A-Z][A-Z0-9]{1,9}-\d{2,4}(-[a-z0-9A-Z]+)+")
_ELSEWHERE = re.compile(r"https?://[^\s<>\"'`\\]+|[\w.+ -]+\.py")  # an address, or a file of tests
_TEST = "::"  # in the id of a plain test: file and function
_ATTRIBUTE = "__conformance_case__"

_Function = TypeVar("_Function", bound=Callable[..., object])


class Level(enum.StrEnum):
    """How binding a requirement is, in the words of RFC 2119."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Need(enum.StrEnum):
    """What a case needs from the probe. A probe that lacks it says why, and the case is `unsupported`."""

    RAISE = "raise"  # an exception of the handler reaches the runtime
    TYPED_RAISE = "typed-raise"  # the same with an error type of our choice
    EXIT = "exit"  # the handler can end the runtime's process
    KILL = "kill"  # the handler can kill the process it runs in
    HANG = "hang"  # the handler can run past the deadline
    CONTEXT = "context"  # the handler sees what the service said about the invoke
    TRACE = "trace"  # the handler sees the trace id in its environment
    ANY_EVENT = "any-event"  # an event that is not a command comes back as it is
    RAW_EVENT = "raw-event"  # the command is the event itself, not text within it
    LARGE_EVENT = "large-event"  # a command can be of any size up to the limit of events
    BYTES = "bytes"  # the result can be bytes that are not UTF-8
    LARGE = "large"  # a result can be of any size up to and over the limit
    PRINT = "print"  # what the handler prints is not its result
    PROCESS = "process"  # counter and pid stay while the runtime's process stays
    SPAWN = "spawn"  # the handler can start child processes
    IDENTITY = "identity"  # uid, working directory
    STREAM = "stream"  # the handler can write its result in steps, and the runtime streams it
    HTTP_STREAM = "http-stream"  # the same with status, headers and cookies before it
    MISSING_SYMBOL = "missing-symbol"  # a handler string whose file is there and whose function is not
    SYNTAX_ERROR = "syntax-error"  # a handler file that does not parse
    THROWS_AT_LOAD = "throws-at-load"  # ... that raises while it is loaded
    EXITS_AT_LOAD = "exits-at-load"  # ... that calls exit(7) while it is loaded
    SLOW_LOAD = "slow-load"  # ... that takes SLOW_LOAD_SECONDS to load
    SNAPSTART = "snapstart"  # the runtime asks for restore/next in a SnapStart environment
    BEFORE_SNAPSHOT_FAILS = "before-snapshot-fails"  # a handler whose hook before the snapshot raises
    AFTER_RESTORE_FAILS = "after-restore-fails"  # a handler whose hook after the restore raises
    CONCURRENCY = "concurrency"  # the runtime takes several events at once in a managed environment
    LOG = "log"  # the handler can log through its runtime, which knows the invoke


@dataclass(frozen=True, slots=True)
class Case:
    """One requirement. `judgement`: the level is this project's, not stated by the documentation."""

    id: str
    level: Level
    judgement: bool
    requirement: str
    page: str
    section: str
    needs: tuple[Need, ...]
    slow: str | None
    module: str
    function: str

    @property
    def number(self) -> str:
        """The id without its words: `RT-060` of `RT-060-response-basic`; all of a plain test's."""
        if _TEST in self.id:
            return self.id
        return "-".join(self.id.split("-")[:2])

    @property
    def slug(self) -> str:
        """The id's words: `response-basic`; none of a plain test's."""
        if _TEST in self.id:
            return ""
        return "-".join(self.id.split("-")[2:])

    @property
    def link(self) -> str:
        """The documentation page on the web; a file of tests, or another address, as it is."""
        if self.page.endswith(SUITE_SUFFIX) or _ELSEWHERE.fullmatch(self.page):
            return self.page
        return _DOCUMENTATION.format(page=self.page)

    @property
    def shown_level(self) -> str:
        """`MUST`, or `MUST†` where the level is a judgement."""
        return f"{self.level}†" if self.judgement else str(self.level)

    def matches(self, pattern: str) -> bool:
        """Whether an id, its number, or a glob over either names this case; letter case does not matter."""
        wanted = pattern.lower()
        return any(fnmatch.fnmatchcase(name.lower(), wanted) for name in (self.id, self.number))

    def is_named_by(self, pattern: str) -> bool:
        """Whether the pattern is this very case's id or number, not a glob."""
        return pattern.lower() in (self.id.lower(), self.number.lower())


class SuiteCase(Case):
    """A test of a suite as a case. It is known by the name that the suite gives it."""

    __slots__ = ()

    @property
    def number(self) -> str:
        """The test's own name."""
        return "-".join(self.id.split("-")[2:])

    @property
    def slug(self) -> str:
        """Nothing more."""
        return ""


_registry: dict[str, Case] = {}


def case(
    identity: str,
    level: Level,
    *,
    requirement: str,
    page: str = "",
    section: str,
    judgement: bool = False,
    needs: Iterable[Need] = (),
    slow: str | None = None,
) -> Callable[[_Function], _Function]:
    """Make a pytest function a case.

    `requirement` is one sentence; `page` the name of the developer guide's page, or an address (the module's file
    when it is left out); `section` the report's group; `slow` says why the case is left out unless it is asked for.
    Raises `ValueError` for a malformed id, one whose number is taken, and one with a prefix of the catalogue that is
    not the suite's own: mistakes of whoever writes the case, which stop the import.
    """
    if not _ID.fullmatch(identity):
        raise ValueError(f"{identity!r} is not a case id such as 'RT-060-response-basic'")

    def register(function: _Function) -> _Function:
        name = getattr(function, "__name__", "")
        made = Case(
            id=identity,
            level=level,
            judgement=judgement,
            requirement=requirement,
            page=page or f"{function.__module__.rpartition('.')[2]}.py",
            section=section,
            needs=tuple(sorted(set(needs))),
            slow=slow,
            module=function.__module__,
            function=name,
        )
        taken = _registry.get(made.number)
        if taken is not None:
            raise ValueError(f"case {identity}: {made.number} is taken by {taken.module}.{taken.function}")
        prefix = identity.partition("-")[0]
        if prefix in _PREFIXES and not made.module.startswith("runtimebuilder."):
            raise ValueError(f"case {identity}: the prefix {prefix} is the catalogue's: choose another")
        _registry[made.number] = made
        setattr(function, _ATTRIBUTE, made)
        return function

    return register


def case_of(function: object) -> Case | None:
    """The case that a function carries, or None."""
    found = getattr(function, _ATTRIBUTE, None)
    return found if isinstance(found, Case) else None


def builtin_cases() -> tuple[Case, ...]:
    """All cases of the suite itself, in the order of the catalogue. Imports the case modules."""
    package = importlib.import_module("runtimebuilder.conformance.cases")
    modules = sorted(f"{package.__name__}.{found.name}" for found in pkgutil.iter_modules(package.__path__))
    for module in modules:
        importlib.import_module(module)
    return tuple(sorted((one for one in _registry.values() if one.module in modules), key=catalogue_order))


_PREFIXES: Sequence[str] = ("RT", "ST", "LC", "SS", "MI", "EV", "FS", "IM", "EX", "PL")


def catalogue_order(one: Case) -> tuple[int, int, str]:
    """A sort key: the catalogue's chapters, then the number. Prefixes of other people come last, then plain tests."""
    return id_order(one.id)


def id_order(identity: str) -> tuple[int, int, str]:
    """The same for an id."""
    if _TEST in identity:
        return (len(_PREFIXES) + 1, 0, identity)
    prefix, number, *_ = identity.split("-")
    chapter = _PREFIXES.index(prefix) if prefix in _PREFIXES else len(_PREFIXES)
    return (chapter, int(number), identity)
