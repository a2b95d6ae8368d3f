"""Lines of the access log: one object a line, fixed fields, printable, and nothing that should not be there."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.records import STORY, attempt, record

from tripoint.domain.record import Failure, Reason, Usage, UsageRecord
from tripoint.engines.gateway.telemetry.access import LINE_FIELDS, AccessLine, access_line, conventional_lines
from tripoint.engines.gateway.telemetry.semconv import CONVENTIONS

ODD = st.text(st.characters(), max_size=20) | st.sampled_from(["\r\n", "\x1b[2J", "\x7f", "\u2028", "\ud800", '"\\'])


def test_a_line_says_what_the_record_says() -> None:
    """Every field in its order, times to the microsecond."""
    line = access_line(record(5, ttft_s=0.1 + 0.2, attempts=(attempt("b", Failure.STALL, status=200), attempt())))
    assert line.endswith(b"}\n")
    told = json.loads(line)
    assert tuple(told) == LINE_FIELDS
    assert told == {
        "at": 1795000000.25, "id": "req-5", "trace_id": "0af7651916cd43dd8448eb211c80319c", "tenant": "default",
        "key": "key-1", "api": "chat", "workload": "chat", "model": "llama", "site": "site-a", "upstream": "a",
        "reason": "plan", "status": 200, "ending": "ok", "error": "", "stream": True, "tokens_in": 120,
        "tokens_out": 64, "cached": 40, "reasoning": 8, "estimated": False, "ttft_s": 0.3, "tpot_s": 0.0125,
        "total_s": 0.8, "own_s": 0.00012, "nano": 120000, "list_nano": 300000, "marginal_nano": 40000,
        "tariff": "chat/a/llama", "prices": "0123456789ab", "attempts": 2,
        "failed": [{"upstream": "b", "site": "site-b", "reason": "plan", "failure": "stall", "status": 200,
                    "started_s": 0.0001, "took_s": 0.2}],
    }  # fmt: skip


@given(st.builds(record, tenant=ODD, workload=ODD, tariff=ODD, error=ODD, upstream=ODD))
def test_a_line_is_one_line_of_printable_ascii(told: UsageRecord) -> None:
    """No name forges a line, moves a cursor or breaks the JSON; what can be read back is what was meant."""
    for write in (access_line, conventional_lines("1.41.0")):
        line = write(told)
        assert line.endswith(b"\n")
        assert all(0x20 <= byte <= 0x7E for byte in line[:-1])
        read = json.loads(line)
        if told.tariff.isprintable():
            assert read["tariff"] == told.tariff


@pytest.mark.parametrize("version", CONVENTIONS)
def test_lines_by_a_convention_differ_in_names_only(version: str) -> None:
    """Same values in the same order; what the version names carries its name."""
    write = conventional_lines(version)
    for told in STORY:
        plain, named = json.loads(access_line(told)), json.loads(write(told))
        assert list(named.values())[: len(plain)] == list(plain.values())
    attributes = CONVENTIONS[version].attributes
    assert {attributes["tokens_in"], attributes["tokens_out"], attributes["model"]} <= named.keys()
    assert ("tokens_in" in named, "tenant" in named) == (False, True)
    assert [*named][-1] == attributes.get("operation", "failed")


def test_an_unknown_convention_is_refused() -> None:
    """Rather than lines by no convention."""
    with pytest.raises(KeyError):
        conventional_lines("0.1")


def test_a_line_has_a_place_for_no_text_of_prompts() -> None:
    """Fields are those of the record, which has none either; nothing new slips in unseen."""
    known = {*UsageRecord._fields, *Usage._fields, "stream", "estimated", "failed"}
    assert set(AccessLine.__struct_fields__) <= known
    assert not {"prompt", "messages", "content", "text", "authorization", "secret"} & set(AccessLine.__struct_fields__)


def test_a_reason_is_written_as_its_word() -> None:
    """Words of an enumeration are plain strings in a line."""
    assert json.loads(access_line(record(reason=Reason.SPILL)))["reason"] == "spill"
