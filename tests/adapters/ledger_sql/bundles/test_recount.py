"""Sums told by some dimensions only: the same whether folded at once, or one group at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tripoint.adapters.ledger_sql.bundles.groups import grouped
from tripoint.adapters.ledger_sql.bundles.recount import Recount, told_by
from tripoint.adapters.ledger_sql.schema import LINE_NAMES
from tripoint.domain.ledger import Dimension
from tripoint.engines.governance.ledger.cubes import MEASURES
from tripoint.engines.governance.ledger.days import day_text, hour_text

NAMES = st.tuples(*[st.sampled_from(["", "a", "b"])] * len(LINE_NAMES))
ROW = st.tuples(st.integers(490_000, 490_050), st.integers(0, 5), st.integers(-(2**62), 2**62))


@given(
    st.lists(ROW, max_size=30),
    st.lists(NAMES, max_size=4),
    st.lists(st.sampled_from(list(Dimension)), max_size=4, unique=True),
)
def test_folding_is_summing_group_by_group(
    rows: list[tuple[int, int, int]], names: list[tuple[str, ...]], by: list[Dimension]
) -> None:
    """Lines nobody knows count as one without names; sums beyond 64 bits stay exact."""
    hours, lines, figures = (np.array([row[place] for row in rows], np.int64) for place in range(3))
    groups = grouped(hours, lines, np.array([figures] * len(MEASURES)).reshape(len(MEASURES), len(rows)))
    keys = {number: (kind, *rest) for number, (kind, *rest) in enumerate(names)}
    wanted: dict[tuple[str, ...], int] = {}
    for hour, line, figure in rows:
        key = keys.get(line, ("",) * len(LINE_NAMES))
        texts = {Dimension.HOUR: hour_text(hour), Dimension.DAY: day_text(hour // 24)}
        told = tuple(texts[each] if each in texts else key[LINE_NAMES.index(each.value)] for each in by)
        wanted[told] = wanted.get(told, 0) + figure
    found = told_by(Recount(groups, keys), by)  # type: ignore[arg-type]  # a tuple of nine, which zip forgets
    assert found == {told: [figure] * len(MEASURES) for told, figure in wanted.items()}
