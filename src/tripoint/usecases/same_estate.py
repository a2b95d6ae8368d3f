"""A plan and the estate it was made for: answers that read both never mix two versions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tripoint.domain.errors import OptionError
from tripoint.domain.plan import Plan
from tripoint.domain.source import LoadedEstate

_NAMED: Final = 3
"""Most workloads named of each."""


def refuse_other_estate(plan: Plan, loaded: LoadedEstate) -> None:
    """Raises `OptionError` with both digests, and workloads only one of them has, where the plan is of another estate.

    A plan on observed demand (`--demand`) is of the estate with that demand, not of the files as they are.
    """
    if plan.estate_digest == loaded.digest:
        return
    planned = {str(each.id) for each in plan.workloads}
    declared = {str(each.id) for each in loaded.estate.workloads}
    sides = (("plan", planned - declared), ("estate", declared - planned))
    told = [f"workloads of the {whose} alone: {_named(names)}" for whose, names in sides if names]
    digests = f"{plan.estate_digest[:19]}, not {loaded.digest[:19]}"
    raise OptionError(
        f"the plan was made for another estate, or another version of this one ({'; '.join((digests, *told))})",
        hint="plan the estate again: `tripoint plan ESTATE --out DIR`; or name the estate the plan was made for",
    )


def _named(names: Iterable[str]) -> str:
    """The first few, in order."""
    listed = sorted(names)
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return ", ".join(f"`{name}`" for name in listed[:_NAMED]) + more
