"""What may be declared about outlooks: how many, which weights and factors, of which workloads and periods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tripoint.domain.errors import EstateError, Finding, OptionError
from tripoint.domain.findings import clip, did_you_mean, finding, quoted
from tripoint.domain.outlook import Outlook
from tripoint.domain.source import Positions, join_path

_FEWEST, _MOST = 2, 5
"""Outlooks of a file."""
_LARGEST = 1000.0
"""Largest factor of demand or of a price."""
_NOWHERE = Positions()


def checked(
    outlooks: Sequence[Outlook], workloads: Sequence[str], periods: Sequence[str], positions: Positions = _NOWHERE
) -> tuple[Outlook, ...]:
    """The outlooks with weights that add up to 1; `positions` are where they stand in their file.

    Raises:
        OptionError: too few or too many.
        EstateError: all that makes no sense, each at its place.
    """
    if not _FEWEST <= len(outlooks) <= _MOST:
        raise OptionError(f"{len(outlooks)} outlooks, expects {_FEWEST} to {_MOST}", hint="join those that are alike")
    wrong: list[Finding] = []
    for number, each in enumerate(outlooks):
        taken = {other.id for other in outlooks[:number]}
        wrong += _wrong(each, f"outlooks[{number}]", taken, workloads, periods)
    if wrong:
        raise EstateError(tuple(positions.locate(said) for said in wrong))
    total = sum(each.weight for each in outlooks)
    return tuple(replace(each, weight=each.weight / total) for each in outlooks)


def _wrong(
    outlook: Outlook, path: str, taken: set[str], workloads: Sequence[str], periods: Sequence[str]
) -> Iterator[Finding]:
    """What is wrong with an outlook, and what to do."""
    if outlook.id in taken:
        message = f"`{clip(outlook.id)}` is the id of another outlook"
        yield finding("TP1215", f"{path}.id", message, "give each outlook an id of its own")
    if not 0 < outlook.weight < float("inf"):
        message = f"is {outlook.weight:g}, expects more than 0"
        yield finding("TP1302", f"{path}.weight", message, "leave out what cannot happen")
    factors = {"demand": outlook.demand}
    factors |= {join_path("demand_of", name): value for name, value in outlook.demand_of.items()}
    factors |= {f"prices.{name}": value for name, value in outlook.prices.by_option.items()}
    for name, value in factors.items():
        if not 0 < value <= _LARGEST:
            message = f"the factor is {value:g}, expects more than 0 and at most {_LARGEST:g}"
            yield finding("TP1302", f"{path}.{name}", message, "1 is as declared")
    for name in outlook.demand_of:
        if name not in workloads:
            message = f"the estate has no workload `{clip(name)}`"
            hint = did_you_mean(name, workloads) or f"known: {quoted(workloads)}"
            yield finding("TP1211", join_path(f"{path}.demand_of", name), message, hint)
    if outlook.since and outlook.since not in periods:
        message = f"the plan has no period `{clip(outlook.since)}`"
        yield finding("TP1302", f"{path}.since", message, f"periods are {periods[0]} to {periods[-1]}")
