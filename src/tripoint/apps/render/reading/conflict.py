"""Why there is no plan, without saying the same once per period."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tripoint.domain.plan import ConflictSet

_PERIOD = re.compile(r" in \d{4}-(?:Q\d|\d{2})")


def distinct(details: Iterable[str]) -> tuple[str, ...]:
    """The first (worst) sentence of each conflicting rule, with the number of further periods it stands for."""
    rules: dict[str, list[str]] = {}
    for detail in details:
        period = _PERIOD.search(detail)
        rules.setdefault(detail[: period.start()] if period else detail, []).append(detail)
    return tuple(f"{first}{_others(len(rest))}" for first, *rest in rules.values())


def reasons(conflict: ConflictSet | None) -> list[str]:
    """Each conflicting rule with its numbers, the smallest set, and what would help, a line each."""
    if conflict is None:
        return []
    members = [needless(conflict.members)] if conflict.members else []
    hint = [f"hint: {conflict.hint}"] if conflict.hint else []
    return [*(f"- {row}" for row in distinct(conflict.details)), *members, *hint]


def conflict_payload(conflict: ConflictSet | None) -> dict[str, Any]:
    """The members of a JSON document that say why there is no plan."""
    if conflict is None:
        return {"families": [], "details": [], "hint": ""}
    return {"families": list(conflict.families), "details": list(conflict.details), "hint": conflict.hint}


def needless(members: Sequence[str]) -> str:
    """The smallest set as one sentence."""
    if len(members) == 1:
        return f"alone impossible: {members[0]}"
    return f"smallest set; without any one of these the others can hold: {'; '.join(members)}"


def _others(count: int) -> str:
    return f" (and in {count} other period{'s' if count > 1 else ''})" if count else ""
