"""Outlooks as YAML, read like an estate is, with every mistake told at its place."""

from __future__ import annotations

from pathlib import Path

from tripoint.adapters.estate_yaml.decode import decode_document
from tripoint.adapters.estate_yaml.document import Sort, read_document
from tripoint.domain.errors import EstateError
from tripoint.domain.outlook import OUTLOOKS_VERSION, Outlook, OutlookFile
from tripoint.domain.source import Positions

_SORT = Sort("a file of outlooks", OUTLOOKS_VERSION, "the guide on asking why shows one to start from")


def read_outlooks(path: Path) -> tuple[tuple[Outlook, ...], Positions]:
    """The outlooks of a file or folder, and where everything stands.

    Raises `EstateError` with every finding of reading and shape.
    """
    document = read_document(path, _SORT)
    read = decode_document(document, OutlookFile)
    if read is None:
        raise EstateError(tuple(document.findings))
    return read.outlooks, document.positions
