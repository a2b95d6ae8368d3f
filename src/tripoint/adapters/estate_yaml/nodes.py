"""YAML text to a tree of nodes with places, in one pass over parser events and without recursion.

Limits are enforced while reading, so a hostile file is refused before it is built: nesting, number of
nodes, and what aliases would expand to (an alias shares its node; only its size is counted). Scalars follow
the YAML 1.2 core schema (only `true` and `false` are booleans), so the country code `NO` stays text.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

import yaml

from tripoint.domain.errors import Finding
from tripoint.domain.findings import clip, finding
from tripoint.domain.source import Position

MAX_DEPTH = 50
MAX_NODES = 200_000
MAX_ALIAS_NODES = 10_000
_MAX_INT_DIGITS = 18
_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NON_FINITE = {".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf, ".nan": math.nan}
_CONSTANTS: dict[str, object] = {"": None, "~": None} | {
    spelling: value
    for word, value in (("null", None), ("true", True), ("false", False))
    for spelling in (word, word.capitalize(), word.upper())
}


class RefusedDocumentError(Exception):
    """The text cannot be read any further; carries what is known so far."""

    def __init__(self, findings: list[Finding]) -> None:
        """Stop with these findings."""
        super().__init__(f"{len(findings)} findings")
        self.findings = findings


@dataclass(slots=True)
class Scalar:
    """A leaf."""

    place: Position
    value: object
    text: str
    size: int = 1


@dataclass(slots=True)
class Sequence:
    """A list."""

    place: Position
    items: list[Node] = field(default_factory=list)
    size: int = 1


@dataclass(slots=True)
class Mapping:
    """A mapping; every key keeps its own place, and aliases merged with `<<` come last."""

    place: Position
    keys: dict[str, Position] = field(default_factory=dict)
    values: dict[str, Node] = field(default_factory=dict)
    merges: list[Node] = field(default_factory=list)
    size: int = 1


Node = Scalar | Sequence | Mapping


def scalar_value(text: str) -> object:
    """What a plain (unquoted) scalar means."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.match(text):
        return int(text) if len(text) <= _MAX_INT_DIGITS else float(text)
    if _FLOAT.match(text):
        return float(text)
    return _NON_FINITE.get(text.lower(), text)


@dataclass(slots=True)
class _Open:
    """A collection being read, and the key waiting for its value."""

    node: Sequence | Mapping
    anchor: str | None
    key: Scalar | None = None
    ignores_value: bool = False


class _Builder:
    """Consumes events, builds the tree, collects findings."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.open: list[_Open] = []
        self.anchors: dict[str, Node | None] = {}
        self.root: Node | None = None
        self.documents = 0
        self.nodes = 0
        self.expanded = 0

    def place(self, event: yaml.Event) -> Position:
        mark = event.start_mark
        return Position(self.file, mark.line + 1, mark.column + 1) if mark else Position(self.file, 1, 1)

    def tell(self, code: str, place: Position, message: str, hint: str = "") -> None:
        said = finding(code, "", message, hint)
        self.findings.append(place.mark(said))

    def refuse(self, code: str, place: Position, message: str, hint: str = "") -> RefusedDocumentError:
        self.tell(code, place, message, hint)
        return RefusedDocumentError(self.findings)

    def feed(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._start(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._end()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._document(event)

    def _document(self, event: yaml.Event) -> None:
        self.documents += 1
        if self.documents > 1:
            raise self.refuse(
                "TP1010",
                self.place(event),
                "a second document starts here (`---`), an estate is one document",
                "move it to a file of its own in the estate's folder, or remove the `---`",
            )

    def _count(self, place: Position) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.refuse(
                "TP1006",
                place,
                f"more than {MAX_NODES:,} values in one file",
                "use `count` for identical sites, and demand profiles for long series",
            )

    def _check_tag(self, event: yaml.NodeEvent, place: Position) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None:
            self.tell(
                "TP1008",
                place,
                f"the tag `{clip(str(tag))}` is not accepted, an estate has plain values only",
                "remove the tag; quote the value if it must be text",
            )

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        place = self.place(event)
        self._count(place)
        self._check_tag(event, place)
        value = event.value if event.style else scalar_value(event.value)
        self._add(Scalar(place, value, event.value), event.anchor)

    def _start(self, event: yaml.CollectionStartEvent) -> None:
        place = self.place(event)
        self._count(place)
        self._check_tag(event, place)
        if len(self.open) >= MAX_DEPTH:
            raise self.refuse(
                "TP1005",
                place,
                f"nested more than {MAX_DEPTH} levels deep; an estate needs no more than 6",
                "check for a stray `[` or `{`",
            )
        node = Mapping(place) if isinstance(event, yaml.MappingStartEvent) else Sequence(place)
        if event.anchor:
            self.anchors[event.anchor] = None
        self.open.append(_Open(node, event.anchor))

    def _end(self) -> None:
        closed = self.open.pop()
        self._add(closed.node, closed.anchor)

    def _alias(self, event: yaml.AliasEvent) -> None:
        place = self.place(event)
        name = event.anchor or ""
        node = self.anchors.get(name)
        if node is None:
            is_open = name in self.anchors
            what = "refers to the value it stands in" if is_open else "names no anchor before it"
            raise self.refuse("TP1007", place, f"the alias `*{clip(name)}` {what}")
        self.expanded += node.size
        if self.expanded > MAX_ALIAS_NODES:
            raise self.refuse(
                "TP1007",
                place,
                f"aliases expand to more than {MAX_ALIAS_NODES:,} values (`*{clip(name)}` alone to {node.size:,})",
                "write the values out, or use fewer aliases of aliases",
            )
        self._add(node, None)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = node
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        parent.node.size += node.size
        if isinstance(parent.node, Sequence):
            parent.node.items.append(node)
        elif parent.key is None and not parent.ignores_value:
            self._key(parent, node)
        else:
            self._entry(parent, parent.node, node)

    def _key(self, parent: _Open, node: Node) -> None:
        if isinstance(node, Scalar) and (isinstance(node.value, str) or (node.value is None and node.text)):
            parent.key = node
            return
        found = f"`{clip(node.text)}`" if isinstance(node, Scalar) else "a list or mapping"
        self.tell("TP1013", node.place, f"a key must be text, found {found}", "quote it")
        parent.ignores_value = True

    def _entry(self, parent: _Open, mapping: Mapping, node: Node) -> None:
        key, parent.key, parent.ignores_value = parent.key, None, False
        if key is None:
            return
        if key.text == "<<":
            mapping.merges += node.items if isinstance(node, Sequence) else [node]
            return
        first = mapping.keys.get(key.text)
        if first is not None:
            self.tell(
                "TP1009",
                key.place,
                f"the key `{clip(key.text)}` is declared twice here, first in line {first.line}",
                "remove one of the two",
            )
            return
        mapping.keys[key.text] = key.place
        mapping.values[key.text] = node


def parse_nodes(text: str, file: str) -> tuple[Node | None, list[Finding]]:
    """The tree of one document, and findings that did not stop the reading."""
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=_PARSER):
            builder.feed(event)
    except yaml.YAMLError as error:
        builder.findings.append(_syntax_finding(error, text, file))
        raise RefusedDocumentError(builder.findings) from None
    return builder.root, builder.findings


def _syntax_finding(error: yaml.YAMLError, text: str, file: str) -> Finding:
    """Place and reason of a syntax error; a tab in the indentation is by far the most common one."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else 1
    column = mark.column + 1 if mark else 1
    position = getattr(error, "position", None)
    if mark is None and isinstance(position, int):
        before = text[:position]
        line, column = before.count("\n") + 1, position - before.rfind("\n")
    lines = text.split("\n")
    source = lines[line - 1] if line <= len(lines) else ""
    if "\t" in source[: len(source) - len(source.lstrip())] or source[column - 1 : column] == "\t":
        said = finding("TP1004", "", "there is a tab in the indentation", "indent with spaces")
    else:
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        context = getattr(error, "context", None)
        message = f"{problem} ({context})" if context else str(problem)
        said = finding("TP1004", "", f"not well-formed YAML: {clip(message, 160)}", _syntax_hint(message))
    return Position(file, line, column).mark(said)


def _syntax_hint(message: str) -> str:
    if "mapping values are not allowed" in message:
        return "quote the text if it contains `: `, or check the indentation of this line"
    if "cannot start any token" in message:
        return "quote text that starts with `@`, `` ` `` or `%`"
    if "expected <block end>" in message or "did not find expected" in message:
        return "check the indentation and brackets of this line and the one before"
    return "check the quotes and brackets of this line and the one before"
