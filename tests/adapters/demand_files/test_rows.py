"""Requests of a log one by one, cleaned and ordered as a fit has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.adapters.demand_files.logs import csv_text, poisson, written

from tripoint.adapters.demand_files import read_requests
from tripoint.domain.errors import OptionError
from tripoint.usecases.demand import FitOptions

pytest.importorskip("duckdb", reason="the extra `demand` is not installed")


def test_rows_come_in_order_with_their_tokens(tmp_path: Path) -> None:
    """Times count from the first; a row that is no request is left out."""
    rows = poisson(200)
    shuffled = [*rows[100:], *rows[:100]]
    path = written(tmp_path, csv_text([*shuffled, (rows[50][0] + 0.1, "many", 3)]))
    found = read_requests(path, FitOptions())
    assert list(found.at_s) == pytest.approx([at - rows[0][0] for at, _, _ in rows], abs=1e-6)
    assert list(zip(found.input_tokens, found.output_tokens, strict=True)) == [row[1:] for row in rows]


def test_no_more_rows_are_read_than_are_played(tmp_path: Path) -> None:
    """The first ones."""
    found = read_requests(written(tmp_path, csv_text(poisson(200))), FitOptions(), 20)
    assert len(found.at_s) == 20
    assert found.at_s[0] == 0.0


def test_a_log_of_jobs_has_no_requests(tmp_path: Path) -> None:
    """It is told what it holds instead."""
    text = "submit_time,duration_s,num_gpus\n" + "".join(f"{at},{60 + at},{1 + at % 4}\n" for at in range(50))
    with pytest.raises(OptionError, match="gpu jobs, not single requests"):
        read_requests(written(tmp_path, text), FitOptions())
