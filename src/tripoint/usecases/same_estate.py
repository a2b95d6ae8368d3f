"""A plan and the estate it was made for: answers that read both never mix two versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from tripoint.domain.errors import OptionError
from tripoint.domain.plan import Plan
from tripoint.domain.source import LoadedEstate
from tripoint.engines.governance.observed.profiles import with_demand

_NAMED: Final = 3
"""Most workloads named of each."""


def estate_of(plan: Plan, loaded: LoadedEstate) -> LoadedEstate:
    """The estate a plan was made for: with the demand it was made on, where that was observed (`--demand`).

    Raises `OptionError` with both digests, and workloads only one of them has, where the plan is of another estate.
    """
    if plan.estate_digest == loaded.digest:
        return loaded
    if plan.demand is not None and plan.is_of(loaded.digest):
        return replace(with_demand(loaded, plan.demand), digest=plan.estate_digest)
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
