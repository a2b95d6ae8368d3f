"""Choices made here and now, told apart and held against each other: what each costs in each outlook, its regret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tripoint.domain.decision import PurchaseAction
from tripoint.domain.errors import SolverError
from tripoint.domain.outlook import Choice, Outlook, Weighed
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.decode import decode
from tripoint.engines.placement.milp.program import FloatArray, Solution
from tripoint.engines.placement.outlooks.extensive import Extensive

TOGETHER = "all outlooks together"
"""Name of the choice that is made for all of them."""
DECLARED = "as declared"
"""Name of the choice of the estate's own plan."""
_SAME = 1e-9
"""Choices whose expected costs differ by no more than this part are as good."""
_DECIDED = (PurchaseAction.BUY, PurchaseAction.COMMIT, PurchaseAction.RETIRE)

Held = Mapping[str, float]
"""What is decided here and now, by name of column."""


def alike(own: Sequence[tuple[str, Held]]) -> dict[str, Held]:
    """The choice of each plan by whose it is: an outlook's, or `DECLARED`; those that are the same under one name."""
    found: list[tuple[list[str], Held]] = []
    for whose, held in own:
        name = DECLARED if whose == DECLARED else f"as if `{whose}` were certain"
        same = next((names for names, other in found if is_same(other, held)), None)
        if same is None:
            found.append(([name], held))
        else:
            same.append(name)
    return {"; ".join(names): held for names, held in found}


def is_same(one: Held, other: Held) -> bool:
    """True where both decide the same; what one does not know is nought."""
    return all(one.get(name, 0.0) == other.get(name, 0.0) for name in {**one, **other})


def start_of(whole: Extensive, weights: Sequence[float], tried: Sequence[Sequence[Solution]]) -> FloatArray | None:
    """Values of the best choice so far in the program over all outlooks; `None` where none holds in all of them."""
    found = [each for each in tried if all(one.values.size for one in each)]
    if not found:
        return None
    best = min(found, key=lambda each: sum(w * one.objective for w, one in zip(weights, each, strict=True)))
    return whole.joined([each.values for each in best])


def least_costs(alone: Sequence[Solution], tried: Sequence[Sequence[Solution]]) -> list[float]:
    """[outlook] the least cost anybody found in it."""
    return [
        min(own.objective, *(each[number].objective for each in tried if each[number].values.size))
        for number, own in enumerate(alone)
    ]


def weighed(
    outlooks: tuple[Outlook, ...], tried: Mapping[str, Sequence[Solution]], best: Sequence[float], bound: float
) -> tuple[Weighed, str]:
    """The choices by expected cost, those that leave some outlook without a plan last; and the name of the first.

    `tried` are the plans of each choice in each outlook, `best` [outlook] the least cost anybody found in it, `bound`
    what no choice is proven to cost less than: discounted USD. Raises `SolverError` where no choice leaves a plan in
    every outlook.
    """
    choices: list[Choice] = []
    for name, found in tried.items():
        costs = [each.objective for each in found if each.values.size]
        told = tuple(each.objective if each.values.size else None for each in found)
        if len(costs) < len(found):
            choices.append(Choice(name=name, expected_npv_usd=None, regret_npv_usd=None, npv_usd=told))
            continue
        expected = sum(each.weight * usd for each, usd in zip(outlooks, costs, strict=True))
        regret = max(usd - least for usd, least in zip(costs, best, strict=True))
        choices.append(Choice(name=name, expected_npv_usd=expected, regret_npv_usd=regret, npv_usd=told))
    possible = [each for each in choices if each.expected_npv_usd is not None]
    if not possible:
        raise SolverError("no choice leaves a plan in every outlook", hint="leave out the outlook that has none left")
    chosen = min(possible, key=lambda each: each.expected_npv_usd or 0.0)
    expected = chosen.expected_npv_usd or 0.0
    for each in possible:  # of choices as good, the one that was made for all outlooks
        if each.name.startswith(TOGETHER) and (each.expected_npv_usd or 0.0) - expected <= _SAME * abs(expected):
            chosen = each
    proven = min(bound, expected)
    return Weighed(
        outlooks=outlooks,
        choices=(chosen, *(each for each in choices if each is not chosen)),
        decisions=(),
        perfect_npv_usd=sum(each.weight * usd for each, usd in zip(outlooks, best, strict=True)),
        bound_npv_usd=proven,
        gap=(expected - proven) / max(abs(expected), 1e-9),
    ), chosen.name


def first_review(form: Formulation, values: FloatArray) -> tuple[str, ...]:
    """What is ordered, signed, given up and built at the first review, as a person says it."""
    found = decode(form, values)
    periods, review_of = form.instance.grid.periods, form.instance.estate.horizon.review_of
    told = [
        f"{row.action} {row.nodes:g} nodes of `{row.pool}` in {periods[row.order_period]}"
        f"{f' for {row.term_months} months' if row.term_months else ''}"
        for row in found.purchases
        if row.action in _DECIDED and row.order_period >= 0 and review_of(row.order_period) == 0
    ]
    told += [
        f"build `{row.step}` at `{row.site}`, ordered in {periods[row.order_period]}"
        for row in found.expansions
        if review_of(row.order_period) == 0
    ]
    return tuple(told)
