"""Every rule of what is billed, through the real shell against an upstream that plays a script.

`docs/concepts/billing.md` states the rules. Prices here: upstream `a` 1,000 nano-dollars an input token, 500 a cached
one, 2,000 an output token; `b` twice that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from tests.factories.scripted import DOCUMENT, Script, ScriptedServer, Then, scripted
from tests.factories.serving import candidate, route, table, target
from tests.factories.shell import Answer, Shell, chat, post, read_answer, shell

from tripoint.domain.record import Ending, Usage, UsageRecord, portions
from tripoint.domain.serving import Api, Dialect, Hedging

pytestmark = pytest.mark.enable_socket

IN, CACHED, OUT = 1_000, 500, 2_000
"""Nano-dollars a token at upstream `a`."""
DONE = b"data: [DONE]\n\n"
ASKED = len(json.dumps(json.loads(chat())["messages"])) // 4
"""Input tokens that are counted for the request of `chat()`: one for every four bytes of its messages."""


def say(text: str = "word", **members: Any) -> bytes:
    """A chunk with a choice."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None, **members.pop("choice", {})}
    return event({"id": "c", "object": "chat.completion.chunk", "choices": [choice], **members})


def event(document: dict[str, Any], name: str = "") -> bytes:
    """One event of a stream."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + json.dumps(document).encode() + b"\n\n"


def usage(tokens_in: int, tokens_out: int, cached: int = 0, reasoning: int = 0) -> dict[str, Any]:
    """OpenAI's `usage`."""
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }


def told(*counts: int) -> bytes:
    """The chunk without choices that tells usage."""
    return event({"id": "c", "object": "chat.completion.chunk", "choices": [], "usage": usage(*counts)})


def whole(**members: Any) -> bytes:
    """A whole chat answer."""
    message = {"role": "assistant", "content": "a river of words"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"id": "c", "object": "chat.completion", "choices": [choice], **members}).encode()


FINISH = say("", choice={"finish_reason": "stop"})


@contextmanager
def before(*scripts: Sequence[Script], **fields: Any) -> Iterator[tuple[Shell, list[ScriptedServer]]]:
    """A gateway before one upstream a list of scripts, `a` cheapest; fields of the table, `target` those of targets."""
    of_target = fields.pop("target", {})
    with ExitStack() as stack:
        servers = [stack.enter_context(scripted(*each)) for each in scripts]
        targets = [target("ab"[slot], slot=slot, port=each.port, **of_target) for slot, each in enumerate(servers)]
        ways = [candidate(slot, usd=1.0 + slot, share=0.0 if slot else 1.0) for slot in range(len(servers))]
        yield stack.enter_context(shell(table(targets, [route(*ways)], **fields))), servers


def answered(running: Shell, body: bytes, path: str = "/v1/chat/completions") -> tuple[Answer, UsageRecord]:
    """The answer to a request, and the one record it leaves."""
    with running.connect() as connection:
        connection.sendall(post(body, path=path))
        answer = read_answer(connection)
    return answer, only(running)


def only(running: Shell) -> UsageRecord:
    """The one record there is; there is never another."""
    running.wait(lambda: bool(running.records))
    (record,) = running.records
    assert sum(each.nano for each in portions(record)) == record.nano
    return record


def left_behind(running: Shell, body: bytes, until: bytes) -> None:
    """Asks, reads until it has seen `until`, and hangs up."""
    with running.connect() as connection:
        connection.sendall(post(body))
        seen = b""
        while until not in seen:
            seen += connection.recv(4096)


# --- what is reported ------------------------------------------------------------------------------------------------


def test_reported_usage_is_billed_as_reported() -> None:
    """Once, at the price row of the upstream that answered, whole and streamed."""
    for pieces, kind in (
        ((whole(usage=usage(100, 7)),), DOCUMENT),
        ((say(), FINISH, told(100, 7), DONE), "text/event-stream"),
    ):
        with before([Script(pieces, kind=kind)]) as (running, _):
            _, record = answered(running, chat(stream=kind != DOCUMENT))
            assert record.usage == Usage(100, 7)
            assert (record.nano, record.list_nano, record.marginal_nano) == (100 * IN + 7 * OUT,) * 3
            assert (record.tariff, record.prices, record.billed) == ("chat/0/llama", "p1", ())


def test_cached_tokens_cost_their_own_price_and_reasoning_is_output() -> None:
    """Cached tokens are part of the input; reasoning tokens are part of the output and not added to it."""
    with before([Script((whole(usage=usage(100, 30, 80, 20)),), kind=DOCUMENT)]) as (running, _):
        _, record = answered(running, chat())
    assert record.usage == Usage(100, 30, 80, 20)
    assert record.nano == 20 * IN + 80 * CACHED + 30 * OUT


def test_usage_in_a_chunk_with_choices_is_read_with_its_cached_tokens() -> None:
    """Complaint 7: such usage was ignored and the request billed four times over."""
    last = say("", choice={"finish_reason": "stop"}, usage=usage(1000, 3, 900))
    with before([Script((say(), say(), last, DONE))]) as (running, _):
        _, record = answered(running, chat(stream=True))
    assert record.usage == Usage(1000, 3, 900)
    assert record.nano == 100 * IN + 900 * CACHED + 3 * OUT


def test_usage_told_twice_or_growing_is_billed_once() -> None:
    """Counts are cumulative: the last stands for all, and a last chunk of zeros takes nothing back."""
    growing = tuple(say(usage=usage(50, number)) for number in (1, 2, 3))
    for pieces in (
        (*growing, FINISH, told(50, 3), told(50, 3), DONE),
        (*growing, FINISH, told(50, 3), told(0, 0), DONE),
    ):
        with before([Script(pieces)]) as (running, _):
            _, record = answered(running, chat(stream=True))
        assert record.usage == Usage(50, 3)
        assert record.nano == 50 * IN + 3 * OUT


def test_zero_usage_is_zero_and_never_an_estimate() -> None:
    """Complaint 6: an upstream that says it charges nothing is believed, whole and streamed."""
    for pieces, kind in (
        ((whole(usage=usage(0, 0)),), DOCUMENT),
        ((say(), say(), FINISH, told(0, 0), DONE), "text/event-stream"),
    ):
        with before([Script(pieces, kind=kind)]) as (running, _):
            _, record = answered(running, chat(stream=kind != DOCUMENT))
        assert record.usage == Usage(0, 0)
        assert (record.nano, record.usage.is_estimated) == (0, False)


def test_missing_usage_is_counted_and_marked() -> None:
    """One token an event; of a whole answer one for every four bytes."""
    body = whole()
    for pieces, kind, count in (
        ((say(), say(), say(), FINISH, DONE), "text/event-stream", 3),
        ((body,), DOCUMENT, len(body) // 4),
    ):
        with before([Script(pieces, kind=kind)]) as (running, _):
            _, record = answered(running, chat(stream=kind != DOCUMENT))
        assert record.usage == Usage(ASKED, count, is_estimated=True)
        assert record.nano == ASKED * IN + count * OUT


def test_embeddings_have_no_output() -> None:
    """Only their input is billed, reported or counted."""
    vector = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5] * 64}]}
    body = json.dumps({"model": "chat", "input": "some twenty-four letters"}).encode()
    for members, expected in (({"usage": {"prompt_tokens": 8, "total_tokens": 8}}, Usage(8, 0)), ({}, None)):
        with before([Script((json.dumps(vector | members).encode(),), kind=DOCUMENT)]) as (running, _):
            _, record = answered(running, body, "/v1/embeddings")
        assert record.usage.tokens_out == 0
        assert record.usage == (expected or Usage(record.usage.tokens_in, 0, is_estimated=True))
        assert record.nano == record.usage.tokens_in * IN > 0


def test_messages_tells_usage_in_two_events() -> None:
    """Input and cache with the beginning, output with the end; cached tokens are told beside the input, not in it."""
    start = {"input_tokens": 40, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 0, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "x", "usage": start}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "word"}}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 12}}
    opening = (event({"type": "message_start", "message": message}, "message_start"),
               event(block, "content_block_start"), *[event(delta, "content_block_delta")] * 5)  # fmt: skip
    ending = (event({"type": "content_block_stop", "index": 0}, "content_block_stop"),
              event(end, "message_delta"), event({"type": "message_stop"}, "message_stop"))  # fmt: skip
    body = json.dumps({"model": "chat", "max_tokens": 99, "stream": True,
                       "messages": [{"role": "user", "content": "tell me"}]}).encode()  # fmt: skip
    speaks = {"dialect": Dialect.ANTHROPIC, "apis": (Api.MESSAGES,)}
    with before([Script((*opening, *ending))], target=speaks) as (running, _):
        _, record = answered(running, body, "/v1/messages")
    assert record.usage == Usage(100, 12, 60)
    assert record.nano == 40 * IN + 60 * CACHED + 12 * OUT
    with before([Script(opening, Then.CUT)], target=speaks) as (running, _):
        _, record = answered(running, body, "/v1/messages")
    assert record.usage == Usage(100, 5, 60, is_estimated=True), "the beginning's count says nothing of what followed"
    assert record.ending == Ending.CUT


# --- what does not go as planned -------------------------------------------------------------------------------------


@pytest.mark.parametrize("upstream_told", [False, True])
def test_a_caller_who_leaves_pays_for_what_was_generated(upstream_told: bool) -> None:
    """Complaint 5: the upstream is told to stop at once, and the tokens counted by then are settled, once."""
    first = (say(usage=usage(30, 1)), say(usage=usage(30, 2)), say("mark", usage=usage(30, 3)))
    pieces = first if upstream_told else (say(), say(), say("mark"))
    with before([Script(pieces, Then.SILENCE)]) as (running, (server,)):
        left_behind(running, chat(stream=True), b"mark")
        record = only(running)
        running.wait(lambda: server.left == 1)
    assert (record.ending, record.status) == (Ending.CANCELLED, 499)
    assert record.usage == (Usage(30, 3) if upstream_told else Usage(ASKED, 3, is_estimated=True))
    assert record.nano == record.usage.tokens_in * IN + 3 * OUT


def test_a_caller_who_leaves_after_a_zero_was_told_owes_nothing() -> None:
    """Complaint 6 again: leaving does not turn a reported zero into an estimate."""
    with before([Script((say(), FINISH, say("mark"), told(0, 0), say("", choice={"delta": {}})), Then.SILENCE)]) as (
        running,
        _,
    ):
        with running.connect() as connection:
            connection.sendall(post(chat(stream=True, stream_options={"include_usage": True})))
            seen = b""
            while b'"prompt_tokens"' not in seen:
                seen += connection.recv(4096)
        record = only(running)
    assert (record.usage, record.nano) == (Usage(0, 0), 0)


def test_a_caller_who_leaves_before_the_first_token_pays_for_the_input() -> None:
    """The upstream had the request: its input was read, and is billed as an attempt that gave no answer."""
    with before([Script((), Then.SILENCE)]) as (running, (server,)):
        with running.connect() as connection:
            connection.sendall(post(chat(stream=True)))
            running.wait(lambda: bool(server.seen))
        record = only(running)
        running.wait(lambda: server.left == 1)
    (bill,) = record.billed
    assert (record.ending, record.upstream, record.usage) == (Ending.CANCELLED, "", Usage(0, 0))
    assert (bill.upstream, bill.tariff, bill.prices) == ("a", "chat/0/llama", "p1")
    assert bill.usage == Usage(ASKED, 0, is_estimated=True)
    assert record.nano == bill.nano == ASKED * IN


def test_an_upstream_that_breaks_off_is_billed_once_for_its_part() -> None:
    """Complaint 11: the caller gets a typed event, and the record says what was delivered."""
    with before([Script((say(), say(), say()), Then.CUT)], [Script()]) as (running, (_, other)):
        answer, record = answered(running, chat(stream=True))
    assert b"upstream_lost" in answer.body
    assert b"[DONE]" not in answer.body
    assert b'"tokens_delivered":3' in answer.body
    assert (record.ending, record.usage, record.billed) == (Ending.CUT, Usage(ASKED, 3, is_estimated=True), ())
    assert record.nano == ASKED * IN + 3 * OUT
    assert not other.seen


def test_a_stream_that_goes_on_elsewhere_bills_both_parts() -> None:
    """What the first had generated, and all that the second does: each at its own upstream's price, each once."""
    words = ("one ", "two ", "three ", "four ")
    first = Script(tuple(say(word) for word in words[:2]), Then.CUT)
    second = Script((*(say(word) for word in words), FINISH, told(20, 4), DONE))
    with before([first], [second], target={"is_reproducible": True}) as (running, _):
        answer, record = answered(running, chat(stream=True, temperature=0))
    assert b"[DONE]" in answer.body
    (bill,) = record.billed
    assert (record.upstream, record.usage) == ("b", Usage(20, 4))
    assert (bill.upstream, bill.usage) == ("a", Usage(ASKED, 2, is_estimated=True))
    assert bill.nano == ASKED * IN + 2 * OUT
    assert record.nano == bill.nano + 2 * (20 * IN + 4 * OUT)


def test_a_stream_nobody_could_go_on_with_bills_the_first_part_only() -> None:
    """The second upstream failed before a token: it delivered nothing, and the caller's part is counted once."""
    first = Script((say("one "), say("two ")), Then.CUT)
    refused = Script((b'{"error": {"message": "no"}}',), status=500, kind=DOCUMENT)
    with before([first], [refused], target={"is_reproducible": True}) as (running, _):
        answer, record = answered(running, chat(stream=True, temperature=0))
    assert b'"tokens_delivered":2' in answer.body
    assert (record.upstream, record.ending, record.billed) == ("a", Ending.CUT, ())
    assert record.usage == Usage(ASKED, 2, is_estimated=True)


def test_a_failover_before_the_first_token_bills_the_answer_only() -> None:
    """An upstream that refused, or died before its first token, delivered nothing."""
    answer = Script((whole(usage=usage(20, 4)),), kind=DOCUMENT)
    for bad in (Script((b"{}",), status=503, kind=DOCUMENT), Script((), Then.CUT)):
        with before([bad], [answer]) as (running, _):
            _, record = answered(running, chat())
        assert (record.upstream, record.usage, record.billed) == ("b", Usage(20, 4), ())
        assert record.nano == 2 * (20 * IN + 4 * OUT)


def test_a_whole_answer_that_was_cut_is_billed_for_what_had_come() -> None:
    """Its tokens were generated, and its vendor asks for them; the answer had elsewhere is billed beside it."""
    body = whole()
    cut = Script((body[: len(body) // 2],), Then.CUT, kind=DOCUMENT)
    with before([cut], [Script((whole(usage=usage(20, 4)),), kind=DOCUMENT)]) as (running, _):
        _, record = answered(running, chat())
    (bill,) = record.billed
    assert (bill.upstream, bill.usage) == ("a", Usage(ASKED, len(body) // 2 // 4, is_estimated=True))
    assert (record.upstream, record.usage) == ("b", Usage(20, 4))


def test_an_answer_that_cannot_be_used_is_billed_where_it_tells_usage() -> None:
    """Somebody else's page costs nothing; a model's answer in the wrong form was generated all the same."""
    right = Script((say(), FINISH, told(20, 1), DONE))
    for pieces, bills in (((whole(usage=usage(20, 4)),), 1), ((b"<html>not a model</html>",), 0)):
        with before([Script(pieces, kind=DOCUMENT)], [right]) as (running, _):
            _, record = answered(running, chat(stream=True))
        assert (record.upstream, len(record.billed)) == ("b", bills)
        assert [bill.usage for bill in record.billed] == [Usage(20, 4)] * bills


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("held", [0, 5_000_000_000])
def test_an_attempt_given_up_for_its_late_first_byte_is_billed_for_its_input_by_a_token_api(
    is_stream: bool, held: int
) -> None:
    """It had the whole request and may be at work still; nodes paid by the hour cost nothing more."""
    slow = Script((whole(),), kind=DOCUMENT, wait_s=30.0)
    right = (
        Script((say(), FINISH, told(20, 4), DONE)) if is_stream else Script((whole(usage=usage(20, 4)),), kind=DOCUMENT)
    )
    fields = {"target": {"held_nano_per_hour": held}, "first_byte_s": 0.3, "retry_share": 1.0}
    with before([slow], [right], **fields) as (running, _):
        answer, record = answered(running, chat(stream=is_stream))
    late = [] if held else [("a", Usage(ASKED, 0, is_estimated=True), ASKED * IN)]
    assert (answer.status, record.upstream, record.usage) == (200, "b", Usage(20, 4))
    assert [(bill.upstream, bill.usage, bill.nano) for bill in record.billed] == late
    with before([slow], [slow], **fields) as (running, _):
        answer, record = answered(running, chat(stream=is_stream))
    assert (answer.status, record.upstream) == (504, "")
    assert [bill.upstream for bill in record.billed] == ([] if held else ["a", "b"])
    assert record.nano == (0 if held else 3 * ASKED * IN)


def test_refusals_cost_nothing() -> None:
    """The upstream's own refusal, and the gateway's."""
    with before([Script((b'{"error": {"message": "too long"}}',), status=400, kind=DOCUMENT)]) as (running, _):
        answer, record = answered(running, chat())
        assert (answer.status, record.ending, record.upstream) == (400, Ending.REFUSED, "a")
        assert (record.usage, record.nano) == (Usage(0, 0), 0)
    with before([Script()]) as (running, (server,)):
        answer, record = answered(running, chat().replace(b'"chat"', b'"nobody"'))
        assert (answer.status, record.ending, record.nano) == (404, Ending.REFUSED, 0)
        assert not server.seen


def test_the_slower_of_two_hedged_attempts_is_billed_for_its_input() -> None:
    """It had the request and was stopped before a token: its input was read, and nothing else is known of it."""
    pieces = (whole(usage=usage(20, 4)),)
    quick, slow = Script(pieces, kind=DOCUMENT, wait_s=0.02), Script(pieces, kind=DOCUMENT, wait_s=1.0)
    hedging = Hedging(quantile=0.5, max_share=1.0)
    with before([*[quick] * 40, slow], [quick], hedging=hedging) as (running, (first, _)):
        hedged: list[UsageRecord] = []
        with running.connect() as connection:
            for _ in range(80):
                connection.sendall(post(chat()))
                read_answer(connection)
                hedged = [each for each in running.records if each.reason == "hedge"]
                if hedged:
                    break
        running.wait(lambda: first.left >= 1)
    (bill,) = hedged[0].billed
    assert (hedged[0].upstream, hedged[0].usage) == ("b", Usage(20, 4))
    assert (bill.upstream, bill.usage) == ("a", Usage(ASKED, 0, is_estimated=True))
    assert hedged[0].nano == bill.nano + 2 * (20 * IN + 4 * OUT)


def test_every_request_leaves_exactly_one_record() -> None:
    """Complaints 1 and 2: whatever way it ends, an answer of 200 has its row, and so has every refusal."""
    ways = [
        Script((whole(usage=usage(1, 1)),), kind=DOCUMENT),
        Script((whole(),), kind=DOCUMENT),
        Script((b"{}",), status=500, kind=DOCUMENT),
        Script((whole()[:30],), Then.CUT, kind=DOCUMENT),
        Script((b"no JSON",), kind=DOCUMENT),
        Script((b'{"error": {}}',), status=422, kind=DOCUMENT),
    ]
    with before(ways * 4) as (running, _):
        for number in range(20):
            with running.connect() as connection:
                connection.sendall(post(chat() if number % 5 else b"{"))
                read_answer(connection)
            running.wait(lambda wanted=number + 1: len(running.records) >= wanted)  # type: ignore[misc]  # a default binds
        assert len(running.records) == len({each.id for each in running.records}) == 20
