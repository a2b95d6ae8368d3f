"""Which scenarios were asked for, and whether any of them can be tried."""

from __future__ import annotations

from collections.abc import Sequence

from tripoint.domain.errors import OptionError
from tripoint.domain.findings import did_you_mean, quoted
from tripoint.domain.scenario import Scenario
from tripoint.domain.stress import Untried

_MOST_NAMED = 5
"""Scenarios a refusal names."""


def chosen(scenarios: Sequence[Scenario], only: Sequence[str]) -> tuple[Scenario, ...]:
    """The scenarios asked for, in the order of the catalogue; raises `OptionError` for an id nobody has."""
    known = {scenario.id: scenario for scenario in scenarios}
    for name in only:
        if name not in known:
            hint = did_you_mean(name, known) or f"known: {quoted(list(known))}; see `tripoint scenarios list`"
            raise OptionError(f"no scenario is called `{name}`", hint=hint)
    return tuple(scenario for scenario in scenarios if not only or scenario.id in only)


def refuse_if_none(scenarios: Sequence[Scenario], untried: Sequence[Untried], *, is_named: bool) -> None:
    """Raises `OptionError` where nothing that was asked for can be tried.

    Asked for are the scenarios that were named (`is_named`), else those brought along beside the catalogue, else all.
    """
    own = [] if is_named else [each for each in scenarios if not each.number]
    asked = {each.id for each in own or scenarios}
    missing = [each for each in untried if each.scenario in asked]
    if asked and len(missing) == len(asked):
        reasons = "; ".join(f"`{each.scenario}`: {each.why}" for each in missing[:_MOST_NAMED])
        rest = f"; ... {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        message = f"nothing that was asked for can be tried: {reasons}{rest}"
        raise OptionError(message, hint="name something the estate has and the plan uses, or try another scenario")
