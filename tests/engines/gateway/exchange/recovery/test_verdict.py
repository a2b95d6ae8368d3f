"""Statuses and waits of upstreams, hostile ones included."""

from __future__ import annotations

import pytest

from tripoint.domain.record import Failure
from tripoint.engines.gateway.exchange.recovery.verdict import failure_of, is_whole, retry_after_of, status_for


@pytest.mark.parametrize(
    ("status", "wait", "failure"),
    [
        (200, 0, None),
        (201, 0, Failure.ANSWER),
        (204, 0, Failure.ANSWER),
        (206, 0, Failure.ANSWER),
        (302, 0, Failure.ANSWER),
        (400, 0, None),
        (401, 0, Failure.CREDENTIAL),
        (403, 0, Failure.CREDENTIAL),
        (404, 0, Failure.ABSENT),
        (405, 0, Failure.ABSENT),
        (413, 0, None),
        (422, 0, None),
        (429, 0, Failure.LIMITED),
        (500, 0, Failure.STATUS),
        (503, 0, Failure.STATUS),
        (503, 3, Failure.LIMITED),
        (529, 0, Failure.LIMITED),
    ],
)
def test_whose_answer_a_status_is(status: int, wait: float, failure: Failure | None) -> None:
    """A redirect is never followed; what is about our credential never reaches the caller."""
    assert failure_of(status, wait) is failure


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(b"7", 7.0), (b" 7 ", 7.0), (b"-1", 0.0), (b"1e9", 0.0), (b"9" * 40, 0.0), (b"99999", 3600.0), (b"", 0.0),
     (b"Wed, 21 Oct 2026 07:28:00 GMT", 0.0), ("٧".encode(), 0.0)],
)  # fmt: skip
def test_a_wait_is_whole_seconds_and_bounded(value: bytes, seconds: float) -> None:
    """An upstream cannot keep itself out for ever, nor us busy."""
    assert retry_after_of(value) == seconds


@pytest.mark.parametrize(("body", "whole"), [(b' {"a":1}\n', True), (b"[1]", True), (b'{"a":', False), (b"", False)])
def test_a_whole_document(body: bytes, whole: bool) -> None:
    """Begins and ends as one."""
    assert is_whole(body) is whole


@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_has_words_for_the_caller(failure: Failure) -> None:
    """Total over the failures."""
    status, code, message = status_for(failure)
    assert status in (429, 502, 504)
    assert code
    assert message
