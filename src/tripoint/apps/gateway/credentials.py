"""Secrets by reference: `env:NAME` or `file:PATH`, read when a table is taken into use and never written anywhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tripoint.domain.table import RoutingTable


class Resolved(NamedTuple):
    """What the references of a table lead to."""

    secrets: dict[str, str]
    """Values by reference."""
    missing: dict[str, str]
    """Why the others cannot be used, by reference."""


def resolve(table: RoutingTable, environment: Mapping[str, str] = os.environ) -> Resolved:
    """Reads every secret a table refers to."""
    references = {each.secret for each in table.targets if each.secret} | {each.secret for each in table.keys}
    secrets: dict[str, str] = {}
    missing: dict[str, str] = {}
    for reference in sorted(references):
        kind, _, name = reference.partition(":")
        value, fault = _value(kind, name, environment)
        if fault:
            missing[reference] = fault
        else:
            secrets[reference] = value
    return Resolved(secrets, missing)


def without(table: RoutingTable, missing: Mapping[str, str]) -> RoutingTable:
    """The table with no room on upstreams whose credential is missing: they are never called without it."""
    if not any(each.secret in missing for each in table.targets):
        return table
    targets = tuple(replace(each, max_concurrency=0) if each.secret in missing else each for each in table.targets)
    return replace(table, targets=targets)


def complaints(table: RoutingTable, missing: Mapping[str, str]) -> tuple[str, ...]:
    """What a person is told of missing secrets, by upstream and key."""
    targets = [
        f"upstream `{each.id}` is not used: its credential `{each.secret}` {missing[each.secret]}"
        for each in table.targets if each.secret is not None and each.secret in missing
    ]  # fmt: skip
    keys = [
        f"client key `{each.id}` opens nothing: its secret `{each.secret}` {missing[each.secret]}"
        for each in table.keys if each.secret in missing
    ]  # fmt: skip
    return (*targets, *keys)


def _value(kind: str, name: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """The value, or why there is none."""
    if kind == "env":
        value = environment.get(name, "")
        if not value:
            return "", "is not set in the environment"
    elif kind == "file":
        try:
            value = Path(name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            return "", f"cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}"
        if not value:
            return "", "is an empty file"
    else:
        return "", "is neither `env:NAME` nor `file:PATH`"
    if not (value.isascii() and value.isprintable()) or value != value.strip():
        return "", "holds a line break, a space at its ends or a character that is not ASCII"
    return value, ""
