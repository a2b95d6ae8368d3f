"""Write a plan out: for a machine to replay, for a spreadsheet, and for people.

Every document is made before the first one is written, so a plan that cannot be rendered leaves the old
files as they were. How a document is made and where it goes are arguments: this floor knows neither
formats nor file systems.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tripoint.domain.plan import Plan

Writer = Callable[[str, str], str]
"""Stores a document: (name, text) -> where it went, as a person would open it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A document made from a plan."""

    name: str
    """File name, e.g. `plan.json`."""
    make: Callable[[Plan], str]
    """Text of the document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A document that was stored."""

    name: str
    """File name."""
    place: str
    """Where it is."""


def write_outputs(plan: Plan, outputs: Iterable[Output], write: Writer) -> tuple[Written, ...]:
    """Make all documents, then store them in order; whatever `write` raises goes through."""
    made = [(output.name, output.make(plan)) for output in outputs]
    return tuple(Written(name=name, place=write(name, text)) for name, text in made)
