"""What may be asked about a workload: of which one, and at which site it could be instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tripoint.domain.errors import OptionError
from tripoint.domain.estate import Estate
from tripoint.domain.findings import did_you_mean
from tripoint.domain.fit import Refusal

_MOST_NAMES, _MOST_REASONS = 8, 3
"""Names and reasons a refusal tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked."""

    workload: str
    """Workload id."""
    at: str = ""
    """Site id: what would it cost to have the workload there and nowhere else? Empty when not asked."""


def places(estate: Estate, question: Question) -> tuple[int, int | None]:
    """Index of the workload and of the site that was asked for; raises `OptionError` with the nearest names."""
    workload = _index(question.workload, [str(each.id) for each in estate.workloads], "workload")
    return workload, _index(question.at, [str(each.id) for each in estate.sites], "site") if question.at else None


def _index(name: str, known: list[str], what: str) -> int:
    if name in known:
        return known.index(name)
    hint = did_you_mean(name, known) or f"it has {', '.join(known[:_MOST_NAMES])}"
    raise OptionError(f"the estate has no {what} `{name}`", hint=hint)


def refuse_closed(question: Question, refusals: Sequence[Refusal]) -> None:
    """Refuses a site the workload may not run at, with what rules it out; raises `OptionError`."""
    mine = [each for each in refusals if each.workload == question.workload and each.site == question.at]
    why = "; ".join(dict.fromkeys(f"{each.node_type}: {each.text}" for each in mine[:_MOST_REASONS]))
    raise OptionError(
        f"`{question.workload}` may not run at `{question.at}`: {why or 'nothing there could run it'}",
        hint="relax the rule in the estate and plan again",
    )
