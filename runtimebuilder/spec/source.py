"""Reading YAML so that every key and value remembers where it stands.

The subset is YAML with no surprises: `yes`, `no`, `on`, `off`, `true`, `false` are booleans, plain decimal
numbers are numbers, and everything else is text. Octal, sexagesimal, dates, tags and merge keys do not
exist here. One document per file, keys are text and unique, aliases are allowed within a bound.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from runtimebuilder.spec.problem import Problem, SpecErrors

__all__ = ["Document", "Loc", "Mark", "Problem", "SpecErrors", "parse", "read"]

Loc = tuple[str | int, ...]

_MOST_BYTES = 1_000_000
_MOST_NODES = 20_000  # after aliases are followed: nine lines of YAML can stand for a billion nodes
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # as PyYAML counts lines
_TAG = "tag:runtimebuilder:"
_NUMBER_TAGS = {_TAG + "int": "the number", _TAG + "float": "the number", _TAG + "bool": "the boolean"}


class _Loader(yaml.BaseLoader):
    """PyYAML's reader, scanner, parser and composer with our own, shorter rules for plain scalars."""


class _FastLoader(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc]
    """The same with libyaml's reader, scanner and parser, where PyYAML was built with it: five times as fast.

    Its messages are for libyaml's authors: what it refuses is read again by the other one.
    """


for _kind, _pattern, _first in (
    ("null", r"(?:~|null|Null|NULL|)\Z", ["~", "n", "N", ""]),
    (
        "bool",
        r"(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)\Z",
        list("yYnNtTfFoO"),
    ),
    ("int", r"-?(?:0|[1-9][0-9]*)\Z", list("-0123456789")),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+\Z", list("-0123456789")),
):
    for _reader in (_Loader, _FastLoader):
        _reader.add_implicit_resolver(_TAG + _kind, re.compile(_pattern), _first)

_COMMENT = re.compile(r"\s*#\s*(.*?)\s*$")  # of the rest of a line, or of a whole one


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a key or value stands: line and column from 1, length in characters on that line."""

    line: int
    column: int
    length: int
    text: str = ""  # a scalar's source text, without quotes; "" for a mapping or list
    inset: int = 0  # 1 for a quoted scalar: its text begins one column later


_START = Mark(1, 1, 1)


@dataclass(frozen=True)
class Document:
    """One file's content as plain Python values, with the place of each by its path of keys and indexes."""

    file: str
    data: object
    lines: tuple[str, ...]
    values: dict[Loc, Mark] = field(repr=False)
    keys: dict[Loc, Mark] = field(repr=False)
    root: Path = Path()  # the project: the folder above the one that the file is in

    def mark(self, loc: Loc, *, key: bool = False) -> Mark:
        """The place of the value (or key) at `loc`, or of the nearest thing around it."""
        loc = self._by_content(loc)
        if key and loc in self.keys:
            return self.keys[loc]
        for end in range(len(loc), 0, -1):
            if loc[:end] in self.values:
                return self.values[loc[:end]]
        return self.values.get((), _START)

    def comment(self, loc: Loc) -> str:
        """The comment beside the value at `loc`, or the one above its key; "" when there is none, or no such value."""
        key, value = self.keys.get(loc), self.values.get(loc)
        if key is None or value is None:
            return ""
        if beside := _COMMENT.match(self.lines[value.line - 1], value.column - 1 + value.length):
            return beside[1]
        above: list[str] = []
        if not self.lines[key.line - 1][: key.column - 1].strip():
            for line in reversed(self.lines[: key.line - 1]):
                if not (found := _COMMENT.match(line)):
                    break
                above.insert(0, found[1])
        return " ".join(above)

    def _by_content(self, loc: Loc) -> Loc:
        """`loc` with a list's items that are named by their text instead of their index put right.

        `versions: ["8.1"]` is short for `versions: {"8.1": {}}`, so the same path has to lead to both.
        """
        found: Loc = ()
        for part in loc:
            if (*found, part) not in self.values and isinstance(part, str):
                index = 0
                while (item := self.values.get((*found, index))) is not None:
                    if item.text == part:
                        break
                    index += 1
                found = (*found, index if item is not None else part)
            else:
                found = (*found, part)
        return found

    def problem(
        self, loc: Loc, message: str, *, key: bool = False, part: tuple[int, int] | None = None
    ) -> Problem:
        """A mistake at `loc`. `part`: offset and length inside the scalar, in characters of its text."""
        mark = self.mark(loc, key=key)
        column, length = mark.column, mark.length
        if part is not None and part[0] + part[1] <= len(mark.text) and "\n" not in mark.text:
            column, length = mark.column + mark.inset + part[0], part[1]
        return _problem(self.file, self.lines, Mark(mark.line, column, length), message)


def _problem(file: str, lines: tuple[str, ...], mark: Mark, message: str) -> Problem:
    excerpt = lines[mark.line - 1] if mark.line <= len(lines) else ""
    return Problem(file, mark.line, mark.column, max(1, mark.length), message, excerpt)


def read(path: Path, shown: str) -> tuple[Document | None, list[Problem]]:
    """The document in `path`, and every mistake that can be seen in the YAML; `shown` names the file.

    The document is None when nothing useful could be read. Raises `OSError` when the file cannot be read at
    all.
    """
    raw = path.read_bytes()
    if len(raw) > _MOST_BYTES:
        return None, [Problem(shown, 1, 1, 1, f"is larger than {_MOST_BYTES // 1_000_000} MB", "")]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        return None, [Problem(shown, line, column, 1, "is not UTF-8 text", "")]
    return parse(text, shown, path.absolute().parent.parent)


def parse(text: str, shown: str, root: Path = Path()) -> tuple[Document | None, list[Problem]]:
    """As `read`, from text."""
    lines = tuple(_LINE_BREAK.split(text))
    try:
        node = _compose(text)
        if node is None:
            return None, [_problem(shown, lines, _START, "is empty")]
        builder = _Builder(shown, lines)
        data = builder.value(node, ())
    except RecursionError:
        return None, [_problem(shown, lines, _START, "is nested too deeply")]
    except _TooManyNodesError:
        return None, [
            _problem(shown, lines, _START, f"stands for more than {_MOST_NODES} values; use fewer aliases")
        ]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        return None, [
            _problem(shown, lines, Mark(line, column, 1), "a control character cannot stand in YAML")
        ]
    except yaml.MarkedYAMLError as error:
        return None, [_syntax(error, shown, lines)]
    return Document(shown, data, lines, builder.values, builder.keys, root), builder.problems


def _compose(text: str) -> yaml.Node | None:
    if "\t" in text:  # libyaml takes a tab behind a key for a space
        return yaml.compose(text, Loader=_Loader)
    try:
        return yaml.compose(text, Loader=_FastLoader)
    except yaml.YAMLError:
        return yaml.compose(text, Loader=_Loader)


def _syntax(error: yaml.MarkedYAMLError, shown: str, lines: tuple[str, ...]) -> Problem:
    mark = error.problem_mark or error.context_mark
    what = error.problem or error.context or "unknown mistake"
    message = f"not valid YAML: {what}" + (f" ({error.context})" if error.context and error.problem else "")
    if "'\\t'" in what:
        message = "a tab character; YAML is indented with spaces"
    elif "another document" in what:
        message = "a second document begins here; one file holds one spec"
    place = Mark(mark.line + 1, mark.column + 1, 1) if mark else _START
    return _problem(shown, lines, place, message)


class _TooManyNodesError(Exception):
    pass


class _Builder:
    """Nodes to plain values, noting places and mistakes on the way."""

    def __init__(self, shown: str, lines: tuple[str, ...]) -> None:
        self.shown = shown
        self.lines = lines
        self.values: dict[Loc, Mark] = {}
        self.keys: dict[Loc, Mark] = {}
        self.problems: list[Problem] = []
        self._nodes = 0

    def value(self, node: yaml.Node, loc: Loc) -> object:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise _TooManyNodesError
        self.values[loc] = self._mark(node)
        if isinstance(node, yaml.MappingNode):
            self._check_tag(node, "tag:yaml.org,2002:map")
            return self._mapping(node, loc)
        if isinstance(node, yaml.SequenceNode):
            self._check_tag(node, "tag:yaml.org,2002:seq")
            return [self.value(item, (*loc, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[str, object]:
        result: dict[str, object] = {}
        for key_node, value_node in node.value:
            mark = self._mark(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self._add(mark, "a key is a word, not a list or mapping")
                continue
            key = str(key_node.value)
            if key_node.tag in _NUMBER_TAGS:
                self._add(mark, f'the key {key} is read as {_NUMBER_TAGS[key_node.tag]}; quote it: "{key}"')
            elif key_node.tag == _TAG + "null":
                self._add(mark, "a key is missing here")
            elif key == "<<":
                self._add(mark, "merge keys (<<) are not supported; write the values out")
                continue
            if key in result:
                first = self.keys[(*loc, key)].line
                self._add(mark, f"the key {key!r} stands here twice; the first is on line {first}")
                continue
            self.keys[(*loc, key)] = mark
            result[key] = self.value(value_node, (*loc, key))
        return result

    def _scalar(self, node: yaml.Node) -> object:
        text = str(node.value)
        match node.tag:
            case "tag:runtimebuilder:null":
                return None
            case "tag:runtimebuilder:bool":
                return text.lower() in ("yes", "true", "on")
            case "tag:runtimebuilder:int":
                return int(text) if len(text) <= 19 else text
            case "tag:runtimebuilder:float":
                return float(text)
        self._check_tag(node, "tag:yaml.org,2002:str")
        return text

    def _check_tag(self, node: yaml.Node, expected: str) -> None:
        if node.tag != expected:
            self._add(self._mark(node), f"tags such as {node.tag} are not supported; write the plain value")

    def _mark(self, node: yaml.Node) -> Mark:
        start, end = node.start_mark, node.end_mark
        line = self.lines[start.line] if start.line < len(self.lines) else ""
        column = start.column
        if (
            start.index == end.index
        ):  # nothing stands here: where it is missing is right behind what is before it
            column = len(line[:column].rstrip(" ")) or column
        length = end.column - start.column if end.line == start.line else len(line.rstrip()) - start.column
        scalar = isinstance(node, yaml.ScalarNode)
        style = node.style if isinstance(node, yaml.ScalarNode) else None
        return Mark(
            start.line + 1,
            column + 1,
            max(1, length if scalar or end.line == start.line else 1),
            node.value if scalar else "",
            1 if style in ('"', "'") else 0,
        )

    def _add(self, mark: Mark, message: str) -> None:
        self.problems.append(_problem(self.shown, self.lines, mark, message))
