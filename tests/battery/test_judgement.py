"""The battery can say no: what it makes of bad outcomes, and of a server that was never meant to be attacked."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.apps.battery.faults.answers import FAULTS, _fault_in
from tripoint.apps.battery.faults.capacity import _judged_spill
from tripoint.apps.battery.faults.loss import _before_first_token, _judged_kill, _mid_stream, open_at
from tripoint.apps.battery.faults.upheaval import Diary, _residency_row
from tripoint.apps.battery.load import Fate, Outcome, Outcomes, error_code, fate_of, streamed_text
from tripoint.apps.battery.place import Place, place_of
from tripoint.apps.battery.verdict import Report, Row, Verdict, quantile, told
from tripoint.apps.battery.wire.attack import Attack, harmless, refused, shape_fault
from tripoint.apps.battery.wire.contents import content_rows, leak_in
from tripoint.apps.battery.wire.destinations import Canary, canary_listening, forms_of
from tripoint.apps.battery.wire.framing import framing_rows
from tripoint.apps.battery.wire.raw import Answer, Talk, answers_in, converse
from tripoint.domain.errors import OptionError
from tripoint.testing.model_server import ModelServer, serving

EVENTS = (("content-type", "text/event-stream"),)
JSON = (("content-type", "application/json"),)


def outcome(fate: Fate = Fate.OK, *, at: float = 10.0, took_s: float = 0.05, status: int = 200) -> Outcome:
    """One request that ended so."""
    return Outcome(at=at, first_s=0.01, took_s=took_s, fate=fate, status=status, body=b"")


def row(verdict: Verdict) -> Row:
    """A row with that verdict."""
    return Row(id="X", what="", bar="", seen="", verdict=verdict)


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        (Answer(200, EVENTS, b'data: {"choices": []}\n\ndata: [DONE]\n\n', True), Fate.OK),
        (Answer(200, EVENTS, b'data: {"choices": []}\n\n', True), Fate.SILENT),
        (Answer(200, EVENTS, b'data: {"choices": []}\n\n', False), Fate.CUT),
        (Answer(200, EVENTS, b'data: {"error": {"code": "upstream_lost"}}\n\n', True), Fate.TYPED),
        (Answer(200, EVENTS, b'event: message_stop\ndata: {"type": "message_stop"}\n\n', True), Fate.OK),
        (Answer(200, JSON, b'{"choices": []}', True), Fate.OK),
        (Answer(200, JSON, b'{"choices": [', True), Fate.SILENT),
        (Answer(200, JSON, b'{"choices": [', False), Fate.CUT),
        (Answer(200, JSON, b'{"error": {}}', True), Fate.SILENT),
        (Answer(503, JSON, b'{"error": {}}', True), Fate.REFUSED),
        (Answer(503, JSON, b'{"err', False), Fate.CUT),
    ],
)
def test_every_end_of_an_answer_has_one_name(answer: Answer, fate: Fate) -> None:
    """A stream without its end mark is never complete, however politely the connection closed."""
    assert fate_of(answer) is fate


def test_codes_and_words_are_read_from_streams() -> None:
    """The typed error, and the text before it."""
    body = b'data: {"choices":[{"delta":{"content":"a "}}]}\n\ndata: {"choices":[{"delta":{"content":"b"}}]}\n\n'
    assert streamed_text(body) == "a b"
    assert error_code(body) == ""
    assert (
        error_code(body + b'data: {"error": {"type": "server_error", "code": "upstream_lost"}}\n\n') == "upstream_lost"
    )
    assert error_code(b'{"error": {"type": "t", "code": null}}') == "t"


def test_one_lost_request_misses_the_bar() -> None:
    """R1 is about none lost and about the wait of the unlucky."""
    good = [outcome(at=9.0 + number / 50) for number in range(100)]
    calm = Outcomes(tuple(good))
    assert _judged_kill(Outcomes(tuple(good)), 10.0, calm).verdict is Verdict.PASS
    assert _judged_kill(Outcomes((*good, outcome(Fate.REFUSED, status=502))), 10.0, calm).verdict is Verdict.FAIL
    for added_s, verdict in ((0.09, Verdict.PASS), (0.11, Verdict.FAIL)):
        slow = [outcome(at=10.1, took_s=good[0].took_s + added_s) for _ in range(5)]
        assert _judged_kill(Outcomes((*good, *slow)), 10.0, calm).verdict is verdict


def test_a_busy_machine_excuses_nothing() -> None:
    """R1 is about what callers see: what held up requests of no gateway as well is shown, and the bar stays."""
    good = [outcome(at=9.0 + number / 50) for number in range(100)]
    late = [outcome(at=10.1, took_s=0.4) for _ in range(5)]
    row = _judged_kill(Outcomes((*good, *late)), 10.0, Outcomes((*good, *late)))
    assert row.verdict is Verdict.FAIL
    assert "requests of no gateway meanwhile" in row.seen


def test_streams_that_end_untold_miss_the_bar() -> None:
    """R2 and R3: silence, and another code than the one that was promised."""
    assert _before_first_token([outcome()], 10.01, {}).verdict is Verdict.PASS
    assert _before_first_token([], 10.01, {}).verdict is Verdict.FAIL
    assert _before_first_token([outcome(Fate.LOST)], 10.01, {}).verdict is Verdict.FAIL
    assert _mid_stream(Outcomes((outcome(),)), [outcome()]).verdict is Verdict.PASS
    assert _mid_stream(Outcomes((outcome(Fate.SILENT),)), [outcome(Fate.SILENT)]).verdict is Verdict.FAIL
    assert _mid_stream(Outcomes((outcome(),)), []).verdict is Verdict.FAIL


def said(*words: tuple[str, str], error: str = "") -> bytes:
    """A stream of words, each with who says it, that ends well or with an error."""
    events = [{"choices": [{"delta": {"content": word}}], "system_fingerprint": who} for who, word in words]
    lines = [b"data: " + json.dumps(each).encode() for each in events]
    lines.append(b"data: " + json.dumps({"error": {"code": error}}).encode() if error else b"data: [DONE]")
    return b"\n\n".join(lines) + b"\n\n"


def heard(body: bytes, *, at: float = 9.0, took_s: float = 2.0, first_s: float = 1.5) -> Outcome:
    """A stream that brought so much."""
    answer = Answer(200, (*EVENTS, ("x-request-id", "r1")), body, True)
    fate, headers = fate_of(answer), dict(answer.headers)
    return Outcome(at=at, first_s=first_s, took_s=took_s, fate=fate, status=200, body=body, headers=headers)


def test_a_stream_is_sorted_by_whose_words_it_carries() -> None:
    """Not by when its caller came to read them: here the caller reads half a second after the kill."""
    begun = heard(said(("dense-1", ""), ("dense-1", "a"), error="upstream_lost"))
    resumed = heard(said(("dense-1", "a"), ("cloud-1", " b")))
    elsewhere = heard(said(("cloud-1", ""), ("cloud-1", "a")))
    opened = heard(said(("dense-1", ""), error="upstream_lost"))
    over, later = heard(said(("dense-1", "a")), took_s=0.5), heard(said(("cloud-1", "a")), at=10.5)
    every = Outcomes((begun, resumed, elsewhere, opened, over, later))
    assert open_at(every, 10.0, "dense-1") == ([elsewhere, opened], [begun, resumed])


def test_a_lost_stream_is_told_with_what_is_known_of_it() -> None:
    """When it left, was heard and ended, as seen from the kill; what it brought; what the gateway says."""
    opened = heard(said(("dense-1", ""), error="upstream_lost"), first_s=0.9)
    line = {"ending": "cut", "upstream": "dense-1", "attempts": 1}
    seen = _before_first_token([opened], 10.0, {"r1": line}).seen
    assert seen.startswith("1 of 1 waiting streams lost: typed loss upstream_lost (sent -1000 ms, first byte -100 ms")
    assert "0 words, end +1000 ms; gateway: cut at dense-1 after 1 attempts" in seen
    assert "no line" in _before_first_token([outcome(Fate.LOST)], 10.0, {"r1": line}).seen


def test_a_survivor_above_its_limit_misses_the_bar() -> None:
    """R8: its limit, the order of priorities, and how soon and how the rest is told."""
    shed = Outcome(
        at=1.0, first_s=0.0, took_s=0.01, fate=Fate.REFUSED, status=429, body=b"", headers={"retry-after": "1"}
    )
    urgent = Outcomes((*[outcome()] * 90, *[shed] * 10))
    patient = Outcomes((*[outcome()] * 10, *[shed] * 90))
    assert _judged_spill(urgent, patient, 4).verdict is Verdict.PASS
    assert _judged_spill(urgent, patient, 5).verdict is Verdict.FAIL
    assert _judged_spill(patient, urgent, 4).verdict is Verdict.FAIL
    rude = Outcomes((*[outcome()] * 90, *[outcome(Fate.REFUSED, status=500)] * 10))
    assert "other than 429" in _judged_spill(rude, patient, 4).seen


@pytest.mark.parametrize("served", range(8))
def test_any_undeclared_label_that_is_served_misses_the_bar(served: int) -> None:
    """R16: whichever of them, of a workload that may go abroad or not; and so does one request abroad."""
    labelled = [outcome(Fate.OK if number == served else Fate.REFUSED) for number in range(8)]
    fine = Diary(reached=True, others=[outcome(Fate.REFUSED)], labelled=[outcome(Fate.REFUSED)] * 8)
    assert _residency_row(Outcomes((outcome(),)), fine).verdict is Verdict.PASS
    found = _residency_row(Outcomes((outcome(),)), Diary(reached=True, others=labelled, labelled=labelled))
    assert found.verdict is Verdict.FAIL
    assert "1 of 8 requests with an undeclared label were served" in found.seen
    fine.abroad = 1
    assert _residency_row(Outcomes((outcome(),)), fine).verdict is Verdict.FAIL


def test_a_fault_is_told_by_what_was_wrong() -> None:
    """R5: the end callers saw, its status, and who was asked how often."""
    limited = next(fault for fault in FAULTS if fault.name == "limited")
    refusing = next(fault for fault in FAULTS if fault.name == "badrequest")
    bad, good = ModelServer(), ModelServer()
    good.seen = [None] * 3  # type: ignore[list-item]  # only counted
    assert _fault_in(limited, [outcome()] * 3, bad, good) == ""
    assert "3 of 3 refused" in _fault_in(limited, [outcome(Fate.REFUSED, status=502)] * 3, bad, good)
    bad.seen = [None] * 2  # type: ignore[list-item]  # only counted
    assert "asked 2 times" in _fault_in(limited, [outcome()] * 3, bad, good)
    assert "not 0" in _fault_in(refusing, [outcome(Fate.REFUSED, status=400)] * 3, bad, good)
    assert "not 400" in _fault_in(refusing, [outcome(Fate.REFUSED, status=500)] * 3, bad, good)


def test_refusals_are_single_and_final() -> None:
    """What counts as refused on the wire, and what as harmless."""
    no, yes = Answer(400, JSON, b"", True), Answer(200, JSON, b"", True)
    assert refused(Talk(answers=[no], is_closed=True)) == ""
    assert refused(Talk(is_closed=True)) == ""
    assert refused(Talk(answers=[no])) == "left the connection open"
    assert "200" in refused(Talk(answers=[yes], is_closed=True))
    assert "2 times" in refused(Talk(answers=[no, yes], is_closed=True))
    assert "502" in harmless(Talk(answers=[Answer(502, JSON, b"", True)]))
    assert harmless(Talk()) == "no answer"
    assert "lacks" in shape_fault(Answer(400, JSON, b'{"error": {"message": "m"}}', True))
    assert "no OpenAI error" in shape_fault(Answer(400, JSON, b"[]", True))
    assert leak_in(Answer(400, JSON, b"the secret is out", True), ["secret"]) != ""
    assert leak_in(Answer(200, JSON, b"the secret is out", True), ["secret"]) == ""


@given(st.lists(st.tuples(st.sampled_from([200, 404]), st.binary(max_size=40), st.booleans()), max_size=4), st.data())
def test_answers_are_found_whatever_arrived_of_them(sent: list[tuple[int, bytes, bool]], data: st.DataObject) -> None:
    """All whole answers of a conversation, and a last one that says it is not."""
    whole = b"HTTP/1.1 100 Continue\r\n\r\n"
    for status, body, is_chunked in sent:
        chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
        framing = b"transfer-encoding: chunked" if is_chunked else b"content-length: %d" % len(body)
        whole += b"HTTP/1.1 %d X\r\n%b\r\n\r\n%b" % (status, framing, chunks if is_chunked else body)
    found = answers_in(whole, is_closed=False)
    assert [(each.status, each.body, each.is_whole) for each in found] == [(s, b, True) for s, b, _ in sent]
    part = answers_in(whole[: data.draw(st.integers(0, len(whole)))], is_closed=False)
    assert [each.status for each in part] == [status for status, *_ in sent[: len(part)]]
    assert all(each.is_whole for each in part[:-1])


def test_a_report_is_safe_only_when_something_passed_and_nothing_failed() -> None:
    """Skipped checks are no evidence."""

    def safe(*verdicts: Verdict) -> bool:
        return Report(target="", rows=tuple(row(each) for each in verdicts), took_s=0.0).is_safe

    assert safe(Verdict.PASS, Verdict.SKIP)
    assert not safe(Verdict.SKIP)
    assert not safe(Verdict.PASS, Verdict.FAIL)
    assert not safe()
    assert quantile([], 0.5) == 0.0
    assert quantile([3.0, 1.0, 2.0], 1.0) == 3.0
    assert told([f"f{number}" for number in range(5)], "") == "f0; f1; f2; 2 more"


@pytest.mark.parametrize("url", ["ftp://x", "http://", "", "http://h:99999/", "http://h:x/"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    """Only http and https with a host."""
    with pytest.raises(OptionError, match="address"):
        place_of(url)


def test_addresses_are_read_as_people_write_them() -> None:
    """A bare host, a path, IPv6, and a certificate authority that is none."""
    assert place_of("127.0.0.1:9/").base_path == "/v1"
    assert place_of("http://gateway/llm/v1/").base_path == "/llm/v1"
    assert place_of("http://[::1]:8/v1").authority == "[::1]:8"
    assert place_of("https://gateway").port == 443
    assert place_of("http://localhost:8").is_loopback
    assert "key" not in repr(place_of("http://h", key="key-canary"))
    with pytest.raises(OptionError, match="certificate"):
        place_of("https://h", ca_file=__file__)


def test_the_canary_has_many_spellings() -> None:
    """Decimal, hexadecimal and mapped addresses, user parts and other schemes; IPv6 in brackets."""
    forms = forms_of(Canary("127.0.0.1", 99))
    assert "http://2130706433:99/v1" in forms
    assert any("::ffff:127.0.0.1" in form for form in forms)
    assert any("[::1]:99" in form for form in forms_of(Canary("::1", 99)))


@pytest.mark.enable_socket
def test_the_canary_hears_whoever_connects() -> None:
    """Otherwise its silence would prove nothing."""

    async def knock() -> int:
        with canary_listening("127.0.0.1") as canary:
            await converse(Place(host="127.0.0.1", port=canary.port), [b"hello"], patience_s=2)
            deadline = time.monotonic() + 5
            while not canary.heard and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
            return canary.heard

    assert asyncio.run(knock()) == 1


@pytest.mark.slow
@pytest.mark.enable_socket
def test_a_naive_server_fails() -> None:
    """The tests' own model server reads requests as simply as can be: the battery must notice."""

    async def examine(place: Place) -> dict[str, Row]:
        found = await asyncio.gather(framing_rows(place), content_rows(place))
        return {each.id: each for rows in found for each in rows}

    with serving(ModelServer(models=("tiny",))) as server:
        rows = asyncio.run(examine(Place(host="127.0.0.1", port=server.port, model="tiny")))
    assert {id_ for id_, each in rows.items() if each.verdict is Verdict.FAIL} >= {"W1", "W4", "W5", "W11", "W15"}
    assert rows["W14"].verdict is Verdict.SKIP
    assert "answered" in rows["W1"].seen


def test_an_attack_is_a_value() -> None:
    """Attacks can be listed, compared and repeated."""
    attack = Attack(name="x", pieces=(b"a", 0.1), judge=refused)
    assert attack == Attack(name="x", pieces=(b"a", 0.1), judge=refused)
