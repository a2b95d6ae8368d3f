"""An estate file, or a folder of them, as plain values with the place of every key and value.

A folder's `*.yaml` and `*.yml` files are read in name order and merged at the top level: lists concatenate,
anything else may be declared in one file only (`apiVersion` may be repeated).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from tripoint.adapters.estate_yaml.nodes import (
    Mapping,
    Node,
    RefusedDocumentError,
    Scalar,
    Sequence,
    parse_nodes,
)
from tripoint.domain.errors import Finding
from tripoint.domain.estate import API_VERSION
from tripoint.domain.findings import finding
from tripoint.domain.source import Position, Positions, join_path

MAX_BYTES = 5_000_000
SUFFIXES = (".yaml", ".yml")
_REPEATABLE = ("apiVersion",)


@dataclass(frozen=True, slots=True)
class Sort:
    """What sort of document it is, for the words of findings."""

    name: str = "an estate"
    """What it is called."""
    version: str = API_VERSION
    """What it starts with."""
    hint: str = "`tripoint init` writes one to start from"
    """Where one comes from."""


@dataclass(slots=True, kw_only=True)
class Document:
    """What the files say, before it means anything."""

    sort: Sort = Sort()
    """What it should be."""

    value: dict[str, object] = field(default_factory=dict)
    """Top-level mapping as plain values."""
    values: dict[str, Position] = field(default_factory=dict)
    """Place of each value, by path."""
    keys: dict[str, Position] = field(default_factory=dict)
    """Place of each key, by path."""
    findings: list[Finding] = field(default_factory=list)
    """Everything wrong so far, located."""
    files: list[str] = field(default_factory=list)
    """Files read."""

    @property
    def positions(self) -> Positions:
        """Places by path."""
        root = Position(self.files[0], 1, 1) if self.files else None
        return Positions(root=root, values=self.values, keys=self.keys)


def read_document(path: Path, sort: Sort = Sort()) -> Document:
    """Read a file or folder; the document's findings say what could not be read."""
    document = Document(sort=sort)
    for file in _files(path, document):
        document.files.append(str(file))
        text = _text(file, document)
        if text is None:
            continue
        try:
            root, findings = parse_nodes(text, str(file))
        except RefusedDocumentError as refused:
            document.findings += refused.findings
            continue
        document.findings += findings
        _merge(document, root, str(file))
    return document


def _files(path: Path, document: Document) -> list[Path]:
    try:
        if not path.is_dir():
            return [path]
        files = sorted(item for item in path.iterdir() if item.suffix in SUFFIXES and item.is_file())
    except (OSError, ValueError) as error:
        document.findings.append(_unreadable(path, error, document.sort.hint))
        return []
    if not files:
        document.findings.append(
            _told(
                "TP1001",
                path,
                f"the folder `{path}` holds no `*.yaml` or `*.yml` file",
                document.sort.hint,
            )
        )
    return files


def _text(file: Path, document: Document) -> str | None:
    """The file's text, or `None` with a finding; never reads past the limit."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
            size = max(file.stat().st_size, len(content))
    except (OSError, ValueError) as error:
        document.findings.append(_unreadable(file, error, document.sort.hint))
        return None
    if len(content) > MAX_BYTES:
        document.findings.append(
            _told(
                "TP1002",
                file,
                f"the file has {size / 1e6:.1f} MB, the limit is {MAX_BYTES / 1e6:g} MB",
                "split the estate into a folder of files; keep logs and traces out of it",
            )
        )
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        document.findings.append(_not_utf8(file, content, error))
        return None


def _not_utf8(file: Path, content: bytes, error: UnicodeDecodeError) -> Finding:
    before = content[: error.start]
    line = before.count(b"\n") + 1
    column = error.start - before.rfind(b"\n")
    said = finding(
        "TP1003",
        "",
        f"byte {error.start} (`0x{content[error.start]:02x}`) is not UTF-8 text",
        "save the file as UTF-8",
    )
    return Position(str(file), line, column).mark(said)


def _unreadable(path: Path, error: OSError | ValueError, where_from: str) -> Finding:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    hint = where_from if isinstance(error, FileNotFoundError) else ""
    return _told("TP1001", path, f"`{path}` cannot be read: {reason}", hint)


def _told(code: str, path: Path, message: str, hint: str) -> Finding:
    return replace(finding(code, "", message, hint), file=str(path))


def _merge(document: Document, root: Node | None, file: str) -> None:
    """Add one file's top level to the document."""
    if not isinstance(root, Mapping):
        found = "is empty" if root is None or (isinstance(root, Scalar) and root.value is None) else "is a "
        if root is not None and found == "is a ":
            found += "list" if isinstance(root, Sequence) else "single value"
        said = finding(
            "TP1010",
            "",
            f"the file {found}, {document.sort.name} is one mapping that starts with "
            f"`apiVersion: {document.sort.version}`",
            document.sort.hint,
        )
        document.findings.append(Position(file, 1, 1).mark(said))
        return
    for key, node in _entries(root, document).items():
        place = root.keys.get(key, node.place)
        present = document.value.get(key)
        if key not in document.value:
            document.keys[key] = place
            document.value[key] = _flatten(document, node, key, place)
        elif isinstance(present, list) and isinstance(node, Sequence):
            for offset, item in enumerate(node.items, start=len(present)):
                present.append(_flatten(document, item, join_path(key, offset), item.place))
        elif not (key in _REPEATABLE and isinstance(node, Scalar) and node.value == present):
            document.findings.append(_declared_twice(document, key, place))


def _declared_twice(document: Document, key: str, place: Position) -> Finding:
    first = document.keys[key]
    said = finding(
        "TP1011",
        key,
        f"`{key}` is declared here and in {first.file} line {first.line}; only lists are put together",
        "keep it in one file",
    )
    return place.mark(said)


def _flatten(document: Document, node: Node, path: str, place: Position) -> object:
    """Plain value of a node; notes the place of everything in it. Depth is bounded by the reader."""
    document.values[path] = place if not isinstance(node, Scalar) else node.place
    if isinstance(node, Scalar):
        return _scalar(document, node, path)
    if isinstance(node, Sequence):
        return [_flatten(document, item, join_path(path, index), item.place) for index, item in enumerate(node.items)]
    plain: dict[str, object] = {}
    for key, value in _entries(node, document).items():
        below = join_path(path, key)
        document.keys[below] = node.keys.get(key, value.place)
        plain[key] = _flatten(document, value, below, document.keys[below])
    return plain


def _entries(node: Mapping, document: Document) -> dict[str, Node]:
    """Own entries of a mapping, then those merged in with `<<` that it does not declare itself."""
    entries = dict(node.values)
    for merged in node.merges:
        if isinstance(merged, Mapping):
            for key, value in _entries(merged, document).items():
                entries.setdefault(key, value)
        else:
            message = "`<<` expects the alias of a mapping, found something else"
            said = finding("TP1103", "", message, "write `<<: *name`")
            document.findings.append(merged.place.mark(said))
    return entries


def _scalar(document: Document, node: Scalar, path: str) -> object:
    """The value, unless it is text no other program could store."""
    if isinstance(node.value, str) and any("\ud800" <= char <= "\udfff" for char in node.value):
        message = "the text holds half a surrogate pair, which is not a character"
        said = finding("TP1003", path, message, "write it again")
        document.findings.append(node.place.mark(said))
        return ""
    return node.value
