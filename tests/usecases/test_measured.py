"""Which entries of the ledger tell times, and whose."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.factories.records import attempt, record, refused
from tests.factories.spending import ledger_of

from tripoint.domain.errors import OptionError
from tripoint.domain.record import Ending, Usage, UsageRecord
from tripoint.usecases.accounts.login import local_actor
from tripoint.usecases.measured import Answers, measure_ledger


def measured(folder: Path, *records: UsageRecord) -> Answers:
    """What a ledger of these records tells."""
    ledger = ledger_of(folder / "ledger.db", (), records)
    try:
        return measure_ledger(ledger, local_actor("planner"))
    finally:
        ledger.close()


def test_a_streamed_answer_tells_its_times(tmp_path: Path) -> None:
    """From when the place was asked; what the cache held was not computed."""
    found = measured(tmp_path, record(1, at=1000.0, attempts=(attempt("b", "connect"), attempt("a", started_s=0.02))))
    ((answer,),) = found.values()
    assert list(found) == [("site-a", "llama")]
    assert answer.began_s == pytest.approx(1000.02)
    assert answer.first_token_s == pytest.approx(0.03)
    assert answer.total_s == pytest.approx(0.78)
    assert (answer.per_token_s, answer.input_tokens, answer.output_tokens) == (0.0125, 80.0, 64.0)


def test_answers_that_tell_no_times_are_present_all_the_same(tmp_path: Path) -> None:
    """Whole bodies and counted tokens."""
    found = measured(
        tmp_path,
        record(1),
        record(2, is_stream=False),
        record(3, usage=Usage(120, 64, 0, 0, True)),
        record(4, usage=Usage(120, 1)),
    )
    assert sorted(answer.per_token_s > 0 for answer in found["site-a", "llama"]) == [False, False, False, True]


def test_what_was_not_answered_whole_is_left_out(tmp_path: Path) -> None:
    """Refused, shed, cut and cancelled requests."""
    others = [record(2, ending=Ending.CUT), record(3, ending=Ending.CANCELLED), record(4, ending=Ending.FAILED)]
    found = measured(tmp_path, record(1), *others, refused(id="req-9"))
    assert [len(answers) for answers in found.values()] == [1]


def test_places_and_models_are_told_apart(tmp_path: Path) -> None:
    """One list for each model at each site."""
    found = measured(tmp_path, record(1), record(2, site="site-b"), record(3, model="bge"))
    assert sorted(found) == [("site-a", "bge"), ("site-a", "llama"), ("site-b", "llama")]


def test_a_ledger_without_times_is_refused(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(OptionError, match="has no service times") as refusal:
        measured(tmp_path, record(1, is_stream=False))
    assert "--measured" in refusal.value.hint
