"""One request's machine, driven by hand: what it commands, what it records, and that it gives every place back."""

from __future__ import annotations

import json

import pytest
from tests.factories.exchanging import DOCUMENT, DONE, EVENTS, Desk, World, answer, piece, usage_event
from tests.factories.serving import candidate, route, table, target

from tripoint.domain.record import Ending, Failure, Usage
from tripoint.domain.serving import Api, Dialect, Hedging
from tripoint.domain.table import KeyEntry, RoutingTable
from tripoint.engines.gateway.exchange.exchange import Exchange
from tripoint.engines.gateway.wire.sse import OPENING_S


def two(**fields: object) -> RoutingTable:
    """Two upstreams of one model; the plan uses the first."""
    is_reproducible = bool(fields.pop("is_reproducible", False))
    targets = [
        target("a", slot=0, is_reproducible=is_reproducible),
        target("b", slot=1, is_reproducible=is_reproducible),
    ]
    return table(targets, [route(candidate(0, share=1.0), candidate(1, usd=3.0))], **fields)  # type: ignore[arg-type]  # passed through


def told(world: World, exchange: Exchange, body: bytes, now: float, status: int = 200) -> None:
    """The attempt dialled last answers whole."""
    attempt = world.last
    exchange.on_head(attempt, status, DOCUMENT, b"", now)
    exchange.on_data(attempt, body, now)
    exchange.on_end(attempt, now)


def test_a_whole_answer_passes_unchanged_and_is_recorded_once() -> None:
    """A whole answer passes unchanged and is recorded once."""
    desk = Desk(two())
    exchange, world = desk.open()
    assert world.last.target.id == "a"
    assert b'"model":"llama"' in world.last.body
    told(world, exchange, answer(10, 4), 100.5)
    assert (world.status, world.body, world.ending) == (200, answer(10, 4), "replied")
    assert b"x-tripoint-site: site-a\r\n" in world.head
    (record,) = desk.records
    assert record.usage == Usage(10, 4)
    assert (record.nano, record.tariff, record.prices) == (10 * 1_000 + 4 * 2_000, "chat/0/llama", "p1")
    assert (record.ending, record.upstream, record.total_s, record.at) == (Ending.OK, "a", 0.5, 1e9 + 100.0)
    assert desk.held() == 0


def test_a_stream_passes_and_the_usage_nobody_asked_for_stays_behind() -> None:
    """A stream passes and the usage nobody asked for stays behind."""
    desk = Desk(two())
    exchange, world = desk.open(stream=True)
    attempt = world.last
    assert b'"include_usage":true' in attempt.body
    exchange.on_head(attempt, 200, EVENTS, b"", 100.1)
    assert not world.is_streamed  # held until there is an event: until then another upstream could still be asked
    exchange.on_data(attempt, piece("one"), 100.2)
    assert world.body == piece("one")
    exchange.on_data(attempt, piece("two") + usage_event(9, 2) + DONE, 100.6)
    exchange.on_end(attempt, 100.6)
    assert world.body == piece("one") + piece("two") + DONE
    (record,) = desk.records
    assert record.usage == Usage(9, 2)
    assert record.ttft_s == pytest.approx(0.2)
    assert record.tpot_s == pytest.approx(0.4)
    assert world.ending == "finished"


def test_a_stream_that_asked_for_usage_gets_it() -> None:
    """A stream that asked for usage gets it."""
    desk = Desk(two())
    exchange, world = desk.open(stream=True, stream_options={"include_usage": True})
    exchange.on_head(world.last, 200, EVENTS, b"", 100.1)
    exchange.on_data(world.last, piece("one") + usage_event(9, 1) + DONE, 100.2)
    exchange.on_end(world.last, 100.2)
    assert world.body == piece("one") + usage_event(9, 1) + DONE


@pytest.mark.parametrize("status", [201, 204, 401, 403, 404, 429, 500, 502, 503, 529])
def test_a_bad_status_is_had_elsewhere_and_never_shown(status: int) -> None:
    """A bad status is had elsewhere and never shown."""
    desk = Desk(two())
    exchange, world = desk.open()
    told(world, exchange, b'{"error":{"message":"secret of ours"}}', 100.1, status)
    assert [attempt.target.id for attempt in world.dialled] == ["a", "b"]
    told(world, exchange, answer(), 100.2)
    assert world.status == 200
    (record,) = desk.records
    assert [(row.upstream, row.status, bool(row.failure)) for row in record.attempts] == [
        ("a", status, True),
        ("b", 200, False),
    ]
    assert record.attempts[1].reason == "failover"


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refusal_of_the_request_itself_goes_back_without_a_second_try(status: int) -> None:
    """A refusal of the request itself goes back without a second try."""
    desk = Desk(two())
    exchange, world = desk.open()
    told(world, exchange, b'{"error":{"message":"bad field"}}', 100.1, status)
    assert (world.status, world.document["error"]["message"]) == (status, "bad field")
    assert len(world.dialled) == 1
    assert desk.records[0].ending == Ending.REFUSED


@pytest.mark.parametrize("failure", [Failure.CONNECT, Failure.RESET, Failure.TIMEOUT])
def test_a_connection_that_fails_before_the_first_byte_costs_the_caller_nothing(failure: Failure) -> None:
    """A connection that fails before the first byte costs the caller nothing."""
    desk = Desk(two())
    exchange, world = desk.open(stream=True)
    exchange.on_lost(world.last, failure, 100.01)
    assert world.last.target.id == "b"
    exchange.on_head(world.last, 200, EVENTS, b"", 100.1)
    exchange.on_data(world.last, piece("x") + DONE, 100.2)
    exchange.on_end(world.last, 100.2)
    assert world.ending == "finished"
    assert desk.held() == 0


def test_all_that_were_under_way_at_an_upstream_that_dies_go_elsewhere() -> None:
    """However many they are: the retry budget is for upstreams that live, and would save only its share of them."""
    targets = [target("a", slot=0, max_concurrency=64), target("b", slot=1, max_concurrency=64)]
    desk = Desk(table(targets, [route(candidate(0, share=1.0), candidate(1, usd=3.0))], retry_share=0.0))
    talks = [desk.open(stream=True) for _ in range(40)]
    for exchange, world in talks:
        exchange.on_lost(world.last, Failure.RESET, 100.01)
    assert [[attempt.target.id for attempt in world.dialled] for _, world in talks] == [["a", "b"]] * 40


def test_a_stale_kept_connection_is_replaced_without_blame() -> None:
    """A stale kept connection is replaced without blame."""
    desk = Desk(two())
    exchange, world = desk.open()
    exchange.on_lost(world.last, Failure.RESET, 100.0, was_reused=True)
    assert [attempt.target.id for attempt in world.dialled] == ["a", "a"]
    assert world.last.is_fresh
    told(world, exchange, answer(), 100.1)
    assert len(desk.records[0].attempts) == 1


def test_a_stale_kept_connection_is_not_replaced_after_the_deadline() -> None:
    """The worker stood still for longer than the caller waits: what was sent then would be paid for nobody."""
    desk = Desk(two(deadline_s=5.0))
    exchange, world = desk.open()
    exchange.on_lost(world.last, Failure.RESET, 105.0, was_reused=True)
    assert len(world.dialled) == 1
    assert world.ending
    assert desk.held() == 0


def test_events_that_never_came_are_had_elsewhere() -> None:
    """Events that never came are had elsewhere."""
    desk = Desk(two())
    exchange, world = desk.open(stream=True)
    exchange.on_head(world.last, 200, EVENTS, b"", 100.1)
    exchange.on_data(world.last, b'data: {"choices"', 100.2)
    exchange.on_lost(world.last, Failure.LOST, 100.3)
    assert world.last.target.id == "b"
    assert world.body == b""


def test_a_stream_that_has_only_been_opened_is_had_elsewhere() -> None:
    """A role, a name, a keep-alive: no token, so nobody has heard of it, and another upstream says the same."""
    desk = Desk(two())
    exchange, world = desk.open(stream=True)
    exchange.on_head(world.last, 200, EVENTS, b"", 100.1)
    exchange.on_data(world.last, b": keep-alive\n\n" + piece(""), 100.2)
    assert not world.is_streamed
    exchange.on_lost(world.last, Failure.LOST, 100.3)
    assert world.last.target.id == "b"
    exchange.on_head(world.last, 200, EVENTS, b"", 100.4)
    exchange.on_data(world.last, piece(""), 100.5)
    exchange.on_data(world.last, piece("one"), 100.6)
    assert world.body == piece("") + piece("one")
    exchange.on_data(world.last, usage_event(9, 1) + DONE, 100.7)
    exchange.on_end(world.last, 100.7)
    (record,) = desk.records
    assert (record.ending, record.upstream, record.reason) == (Ending.OK, "b", "failover")
    assert record.ttft_s == pytest.approx(0.6)  # to the first token, not to what came before it


def test_an_error_before_the_first_token_is_had_elsewhere() -> None:
    """An upstream that opens a stream and then says that it cannot."""
    desk = Desk(two())
    exchange, world = desk.open(stream=True)
    exchange.on_head(world.last, 200, EVENTS, b"", 100.1)
    exchange.on_data(world.last, piece(""), 100.2)
    exchange.on_data(world.last, b'data: {"error":{"message":"no room","code":"overloaded"}}\n\n', 100.3)
    assert world.last.target.id == "b"
    assert not world.is_streamed


def test_an_answer_without_a_token_comes_whole() -> None:
    """The shortest answer there is: a role and the reason to finish."""
    desk = Desk(two())
    exchange, world = desk.open(stream=True)
    exchange.on_head(world.last, 200, EVENTS, b"", 100.1)
    exchange.on_data(world.last, piece(""), 100.2)
    end = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    exchange.on_data(world.last, end, 100.3)
    exchange.on_data(world.last, DONE, 100.3)
    exchange.on_end(world.last, 100.3)
    assert world.body == piece("") + end + DONE
    assert world.ending == "finished"


def test_signs_of_life_are_passed_on_after_a_while() -> None:
    """Whoever thinks for long keeps its caller's connection alive, at the price of being bound to it."""
    desk = Desk(two())
    exchange, world = desk.open(stream=True)
    exchange.on_head(world.last, 200, EVENTS, b"", 100.1)
    exchange.on_data(world.last, piece(""), 100.2)
    assert not world.is_streamed
    exchange.on_data(world.last, b": keep-alive\n\n", 100.0 + OPENING_S)
    assert world.body == piece("") + b": keep-alive\n\n"


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"choices": [', b"\xff\xfe"])
def test_an_answer_that_is_no_document_is_had_elsewhere(body: bytes) -> None:
    """An answer that is no document is had elsewhere."""
    desk = Desk(two())
    exchange, world = desk.open()
    told(world, exchange, body, 100.1)
    assert world.last.target.id == "b"


def test_a_cut_stream_ends_with_an_event_that_says_so() -> None:
    """A cut stream ends with an event that says so."""
    desk = Desk(two())
    exchange, world = desk.open(stream=True)
    exchange.on_head(world.last, 200, EVENTS, b"", 100.1)
    exchange.on_data(world.last, piece("one") + piece("two") + b'data: {"choi', 100.2)
    exchange.on_lost(world.last, Failure.LOST, 100.3)
    assert world.ending == "finished"
    assert world.body.startswith(piece("one") + piece("two"))
    rest = world.body[len(piece("one") + piece("two")) :]
    assert b"upstream_lost" in rest
    assert b"data: [DONE]" not in rest
    (record,) = desk.records
    assert (record.ending, record.usage.tokens_out, record.usage.is_estimated) == (Ending.CUT, 2, True)
    assert record.nano > 0


def test_a_stream_that_ends_without_its_mark_was_cut() -> None:
    """A stream that ends without its mark was cut."""
    desk = Desk(two())
    exchange, world = desk.open(stream=True)
    exchange.on_head(world.last, 200, EVENTS, b"", 100.1)
    exchange.on_data(world.last, piece("one"), 100.2)
    exchange.on_end(world.last, 100.3)
    assert b"upstream_lost" in world.body


def test_a_reproducible_stream_goes_on_elsewhere_word_for_word() -> None:
    """A reproducible stream goes on elsewhere word for word."""
    desk = Desk(two(is_reproducible=True))
    exchange, world = desk.open(stream=True, temperature=0)
    exchange.on_head(world.last, 200, EVENTS, b"", 100.1)
    exchange.on_data(world.last, piece("one ") + piece("two "), 100.2)
    exchange.on_lost(world.last, Failure.LOST, 100.3)
    assert world.last.target.id == "b"
    exchange.on_head(world.last, 200, EVENTS, b"", 100.4)
    exchange.on_data(world.last, piece("one t") + piece("wo three") + piece(" four") + usage_event(5, 4) + DONE, 100.5)
    exchange.on_end(world.last, 100.5)
    assert world.ending == "finished"
    assert b"".join([piece("one "), piece("two ")]) in world.body
    assert b'"content":"three"' in world.body.replace(b'": "', b'":"')
    assert world.body.endswith(DONE)
    (record,) = desk.records
    assert (record.ending, record.reason, record.usage) == (Ending.OK, "resume", Usage(5, 4))


def test_a_repeated_answer_that_differs_is_not_passed_off_as_the_same() -> None:
    """A repeated answer that differs is not passed off as the same."""
    desk = Desk(two(is_reproducible=True))
    exchange, world = desk.open(stream=True, temperature=0)
    exchange.on_head(world.last, 200, EVENTS, b"", 100.1)
    exchange.on_data(world.last, piece("one "), 100.2)
    exchange.on_lost(world.last, Failure.LOST, 100.3)
    exchange.on_head(world.last, 200, EVENTS, b"", 100.4)
    exchange.on_data(world.last, piece("two "), 100.5)
    assert b"upstream_lost" in world.body
    assert world.ending == "finished"
    assert desk.held() == 0


def test_nobody_left_is_told_with_a_wait() -> None:
    """Nobody left is told with a wait."""
    desk = Desk(two())
    exchange, world = desk.open()
    exchange.on_lost(world.last, Failure.STATUS, 100.0)
    exchange.on_lost(world.last, Failure.STATUS, 100.1)
    assert world.status == 502
    assert b"retry-after: 1\r\n" in world.head
    assert world.document["error"]["code"] == "upstream_failed"
    assert desk.records[0].ending == Ending.FAILED
    assert len(desk.records[0].attempts) == 2


def test_silence_before_the_first_byte_is_given_up_in_time() -> None:
    """Silence before the first byte is given up in time."""
    desk = Desk(two(first_byte_s=3.0))
    exchange, world = desk.open(stream=True)
    assert exchange.due == pytest.approx(103.0)
    exchange.on_timer(102.9)
    assert len(world.dialled) == 1
    exchange.on_timer(103.0)
    assert [attempt.target.id for attempt in world.dialled] == ["a", "b"]
    assert world.dropped == [world.dialled[0]]


def measured(desk: Desk) -> None:
    """An upstream answers a while, within 50 ms: from then on a first byte is waited for a second."""
    for _ in range(60):
        exchange, world = desk.open(stream=True)
        exchange.on_head(world.last, 200, EVENTS, b"", desk.now)
        exchange.on_data(world.last, piece("x") + DONE, desk.now + 0.05)
        exchange.on_end(world.last, desk.now + 0.05)
        desk.now += 1.0
        desk.gateway.tick(desk.now)


def test_a_late_first_byte_is_waited_for_where_nobody_else_is_left() -> None:
    """The other upstream died after the request was sent: giving up would lose what is only late."""
    desk = Desk(two())
    measured(desk)
    exchange, world = desk.open(stream=True)
    assert world.last.target.id == "a"
    began = desk.now
    assert exchange.due == pytest.approx(began + 1.0)
    desk.board.open(1, began + 60.0)
    desk.gateway.tick(began + 0.5)
    exchange.on_timer(began + 1.0)
    assert not world.dropped
    assert exchange.due == pytest.approx(began + 4.0)  # as for one that was sent when there was nobody else
    attempt = world.last
    exchange.on_head(attempt, 200, EVENTS, b"", began + 2.5)
    exchange.on_data(attempt, piece("late") + DONE, began + 2.5)
    exchange.on_end(attempt, began + 2.5)
    assert world.body == piece("late") + DONE
    assert [row.failure for row in desk.records[-1].attempts] == [""]
    assert desk.held() == 0


def test_waiting_for_a_late_first_byte_has_an_end() -> None:
    """Four times as long, then the caller is told, and the upstream is blamed once."""
    made = two(keys=[KeyEntry(id="k", tenant="t", secret="env:K", workloads=(), sites=("site-a",))])
    desk = Desk(made, {"env:K": "right"})
    desk.headers = {b"authorization": b"Bearer right"}
    measured(desk)
    exchange, world = desk.open(stream=True)  # its key keeps it at this site, though another is up
    for at_s in (1.0, 2.0, 3.9):
        exchange.on_timer(desk.now + at_s)
        assert not exchange.is_over
    exchange.on_timer(desk.now + 4.0)
    assert (world.status, world.document["error"]["code"]) == (504, "upstream_timeout")
    assert [row.failure for row in desk.records[-1].attempts] == [Failure.TIMEOUT]
    assert desk.held() == 0


def test_a_survivor_without_room_is_told_as_such() -> None:
    """The upstream died and the other one is full: a limit with a time to come back, not a broken gateway."""
    targets = [target("a", slot=0), target("b", slot=1, max_concurrency=1)]
    desk = Desk(table(targets, [route(candidate(0, share=1.0), candidate(1, usd=3.0))]))
    (first, other), (second, world) = desk.open(), desk.open()
    first.on_lost(other.last, Failure.RESET, 100.1)
    assert other.last.target.id == "b"
    second.on_lost(world.last, Failure.RESET, 100.1)
    assert world.last.choice.reason == "retry"  # at the one that died, since nothing was begun there
    second.on_lost(world.last, Failure.CONNECT, 100.2)
    assert (world.status, world.document["error"]["code"]) == (429, "no_capacity")
    assert b"retry-after: " in world.head
    assert desk.records[-1].ending == Ending.SHED
    assert [row.failure for row in desk.records[-1].attempts] == [Failure.RESET, Failure.CONNECT]


def test_silence_in_the_middle_is_given_up_and_told() -> None:
    """Silence in the middle is given up and told."""
    desk = Desk(two(stall_s=5.0))
    exchange, world = desk.open(stream=True)
    exchange.on_head(world.last, 200, EVENTS, b"", 100.1)
    exchange.on_data(world.last, piece("one"), 101.0)
    assert exchange.due == pytest.approx(106.0)
    exchange.on_timer(106.0)
    assert b"upstream_lost" in world.body
    assert desk.records[0].attempts[0].failure == Failure.STALL


def test_the_deadline_holds_over_all_attempts() -> None:
    """The deadline holds over all attempts."""
    desk = Desk(two(first_byte_s=60.0))
    exchange, world = desk.ask({"model": "chat", "messages": []}, headers={b"x-tripoint-timeout-ms": b"1500"})
    assert exchange is not None
    assert b"x-tripoint-timeout-ms: 1500\r\n" in world.last.head
    exchange.on_lost(world.last, Failure.RESET, 101.0)
    assert b"x-tripoint-timeout-ms: 500\r\n" in world.last.head
    exchange.on_timer(101.5)
    assert (world.status, world.document["error"]["code"]) == (504, "deadline_exceeded")
    assert desk.held() == 0


def test_a_caller_who_leaves_stops_the_attempt_and_pays_for_what_came() -> None:
    """A caller who leaves stops the attempt and pays for what came."""
    desk = Desk(two())
    exchange, world = desk.open(stream=True)
    exchange.on_head(world.last, 200, EVENTS, b"", 100.1)
    exchange.on_data(world.last, piece("one"), 100.2)
    exchange.on_client_gone(100.3)
    assert world.dropped == [world.last]
    (record,) = desk.records
    assert (record.ending, record.usage.tokens_out) == (Ending.CANCELLED, 1)
    assert desk.held() == 0


def test_a_long_answer_is_passed_on_as_it_comes_and_its_usage_read_at_the_end() -> None:
    """A long answer is passed on as it comes and its usage read at the end."""
    desk = Desk(two())
    exchange, world = desk.open()
    body = answer(11, 7, "x" * 3_000_000)
    exchange.on_head(world.last, 200, DOCUMENT, b"", 100.1)
    for start in range(0, len(body), 65_536):
        exchange.on_data(world.last, body[start : start + 65_536], 100.2)
    assert world.is_streamed
    exchange.on_end(world.last, 100.3)
    assert world.body == body
    assert desk.records[0].usage == Usage(11, 7)


def test_a_long_answer_that_breaks_off_is_visibly_cut() -> None:
    """A long answer that breaks off is visibly cut."""
    desk = Desk(two())
    exchange, world = desk.open()
    exchange.on_head(world.last, 200, DOCUMENT, b"", 100.1)
    exchange.on_data(world.last, b"{" + b"x" * 2_000_000, 100.2)
    exchange.on_lost(world.last, Failure.LOST, 100.3)
    assert world.ending == "cut"
    assert desk.records[0].ending == Ending.CUT


def test_a_late_first_byte_is_hedged_and_the_faster_answer_kept() -> None:
    """A late first byte is hedged and the faster answer kept."""
    desk = Desk(two(hedging=Hedging(quantile=0.95, max_share=1.0)))
    for _ in range(60):  # a live quantile needs measurements
        exchange, world = desk.open(stream=True)
        exchange.on_head(world.last, 200, EVENTS, b"", desk.now)
        exchange.on_data(world.last, piece("x") + DONE, desk.now + 0.1)
        exchange.on_end(world.last, desk.now + 0.1)
        desk.now += 1.0
        desk.gateway.tick(desk.now)
    exchange, world = desk.open(stream=True)
    assert exchange.due < desk.now + 5.0
    exchange.on_timer(exchange.due)
    assert [attempt.target.id for attempt in world.dialled] == ["a", "b"]
    first, second = world.dialled
    exchange.on_head(second, 200, EVENTS, b"", desk.now + 1)
    exchange.on_data(second, piece("y") + DONE, desk.now + 1)
    assert world.dropped == [first]
    exchange.on_end(second, desk.now + 1)
    assert world.ending == "finished"
    assert desk.records[-1].reason == "hedge"
    assert desk.held() == 0


def test_an_unknown_key_learns_nothing() -> None:
    """An unknown key learns nothing."""
    made = two(keys=[KeyEntry(id="k", tenant="t", secret="env:K", workloads=(), sites=None)])
    desk = Desk(made, {"env:K": "right"})
    assert desk.ask({"model": "chat"}, headers={b"authorization": b"Bearer wrong"})[0] is None
    exchange, world = desk.ask({"model": "nope"}, headers={b"authorization": b"Bearer right"})
    assert exchange is None
    assert world.status == 404
    assert [record.status for record in desk.records] == [401, 404]
    assert desk.records[1].tenant == "t"
    exchange, world = desk.ask({"model": "chat", "messages": []}, headers={b"x-api-key": b"right"})
    assert exchange is not None


def test_a_key_confined_to_sites_stays_there() -> None:
    """A key confined to sites stays there."""
    made = two(keys=[KeyEntry(id="k", tenant="t", secret="env:K", workloads=(), sites=("site-b",))])
    desk = Desk(made, {"env:K": "right"})
    exchange, world = desk.ask({"model": "chat", "messages": []}, headers={b"authorization": b"Bearer right"})
    assert exchange is not None
    assert world.last.target.id == "b"
    exchange.on_lost(world.last, Failure.STATUS, 100.1)
    assert world.ending == "replied"
    assert {attempt.target.id for attempt in world.dialled} == {"b"}


def test_models_lists_what_the_key_may_call() -> None:
    """Models lists what the key may call."""
    status, body = Desk(two()).gateway.models({}, 100.0)
    assert status == 200
    assert b'"chat"' in body
    assert b'"llama"' in body


def test_a_model_two_workloads_use_is_not_listed() -> None:
    """Asked for by that name alone it would be refused as ambiguous; a key that may call one of them only has it."""
    routes = [route(candidate(0, share=1.0), workload=name) for name in ("chat", "desk")]
    keys = [
        KeyEntry(id="all", tenant="t", secret="env:A", workloads=("chat", "desk"), sites=()),
        KeyEntry(id="one", tenant="t", secret="env:O", workloads=("desk",), sites=()),
    ]
    desk = Desk(table([target("a")], routes, keys=keys), {"env:A": "all", "env:O": "one"})
    for secret, expected in (("all", ["chat", "desk"]), ("one", ["desk", "llama"])):
        headers = {b"authorization": b"Bearer " + secret.encode()}
        _, body = desk.gateway.models(headers, 100.0)
        listed = [each["id"] for each in json.loads(body)["data"]]
        assert listed == expected
        for name in listed:
            assert desk.ask({"model": name, "messages": []}, headers=headers)[0] is not None


def test_a_reload_leaves_what_is_under_way_alone() -> None:
    """A reload leaves what is under way alone."""
    desk = Desk(two())
    exchange, world = desk.open(stream=True)
    exchange.on_head(world.last, 200, EVENTS, b"", 100.1)
    only_b = table([target("b", slot=1)], [route(candidate(0, share=1.0))])
    desk.gateway.reload(only_b, {}, 100.2)
    exchange.on_data(world.last, piece("x") + DONE, 100.3)
    exchange.on_end(world.last, 100.3)
    assert world.ending == "finished"
    assert desk.records[0].upstream == "a"
    assert desk.open()[1].last.target.id == "b"
    assert desk.board.held(0) == 0


def test_a_failover_after_a_reload_follows_the_new_table() -> None:
    """A failover after a reload follows the new table."""
    desk = Desk(two())
    exchange, world = desk.open()
    only_b = table([target("b", slot=1)], [route(candidate(0, share=1.0))])
    desk.gateway.reload(only_b, {}, 100.2)
    exchange.on_lost(world.last, Failure.RESET, 100.3)
    assert world.ending == "replied" or world.last.target.id == "b"
    assert desk.board.held(0) == 0


def test_messages_callers_get_their_own_error_shape() -> None:
    """Messages callers get their own error shape."""
    desk = Desk(two())
    exchange, world = desk.ask({"model": "nope", "max_tokens": 5, "messages": []}, Api.MESSAGES)
    assert exchange is None
    assert world.document["type"] == "error"


def test_a_stream_that_finished_without_its_mark_gets_one() -> None:
    """Some servers end after the finish reason: the caller's library waits for no more, and for no less."""
    desk = Desk(two())
    exchange, world = desk.open(stream=True)
    exchange.on_head(world.last, 200, EVENTS, b"", 100.1)
    last = b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    exchange.on_data(world.last, piece("one") + last, 100.2)
    exchange.on_end(world.last, 100.3)
    assert world.body == piece("one") + last + DONE
    assert desk.records[0].ending == Ending.OK


def test_an_upstream_that_cannot_carry_a_request_is_passed_over() -> None:
    """Two answers at once cannot be had from Anthropic's interface; from the other upstream they can."""
    anthropic = target("a", slot=0, dialect=Dialect.ANTHROPIC, apis=(Api.MESSAGES,), base_path="")
    made = table([anthropic, target("b", slot=1)], [route(candidate(0, share=1.0), candidate(1, usd=3.0))])
    desk = Desk(made)
    exchange, world = desk.open(n=2)
    assert world.last.target.id == "b"
    told(world, exchange, answer(), 100.1)
    assert world.status == 200
    alone = Desk(table([anthropic], [route(candidate(0, share=1.0))]))
    refused, world = alone.ask({"model": "chat", "messages": [], "n": 2})
    assert refused is not None
    assert (world.status, world.document["error"]["param"]) == (400, "n")
    assert alone.held() == 0


def test_records_have_ids_of_their_own() -> None:
    """A caller that repeats its request id still pays for each request, and is told its own."""
    desk = Desk(two())
    for _ in range(3):
        exchange, world = desk.ask({"model": "chat", "messages": []}, headers={b"x-request-id": b"mine"})
        assert exchange is not None
        assert b"x-request-id: mine\r\n" in world.last.head
        told(world, exchange, answer(), 100.1)
        assert b"x-request-id: mine\r\n" in world.head
    assert len({record.id for record in desk.records}) == 3


@pytest.mark.parametrize(
    ("status", "body", "is_had_elsewhere"),
    [
        (200, answer(7, 2), False),
        (200, b"[" + answer() + b"]", False),
        (200, b"", True),
        (200, b'{"half":', True),
        (200, b"<html></html>", True),
        (500, b'{"error":{}}', True),
        (429, b'{"error":{}}', True),
        (400, b'{"error":{"message":"bad field"}}', False),
    ],
)
def test_an_answer_in_one_piece_means_the_same_as_in_three(status: int, body: bytes, is_had_elsewhere: bool) -> None:
    """Head, data and end at once, or one after the other: the same commands and the same record."""
    seen = []
    for is_whole in (True, False):
        desk = Desk(two())
        exchange, world = desk.open()
        if is_whole:
            exchange.on_answer(world.last, status, DOCUMENT, b"2", body, 100.1)
        else:
            exchange.on_head(world.last, status, DOCUMENT, b"2", 100.1)
            if body:
                exchange.on_data(world.last, body, 100.1)
            exchange.on_end(world.last, 100.1)
        assert (world.last.target.id == "b") is is_had_elsewhere
        if is_had_elsewhere:
            exchange.on_answer(world.last, 200, DOCUMENT, b"", answer(), 100.2)
        (record,) = desk.records
        seen.append((world.status, world.body, world.ending, record.usage, record.ending, record.attempts, record.nano))
        assert desk.held() == 0
    assert seen[0] == seen[1]


def test_a_stream_that_is_answered_by_a_document_is_had_elsewhere() -> None:
    """Whatever it says: the caller waits for events."""
    desk = Desk(two())
    exchange, world = desk.open(stream=True)
    exchange.on_answer(world.last, 200, DOCUMENT, b"", answer(), 100.1)
    assert world.last.target.id == "b"


def across(api: Api = Api.CHAT) -> Desk:
    """One upstream that speaks the other of the two interfaces."""
    other = Api.MESSAGES if api is Api.CHAT else Api.CHAT
    dialect = Dialect.ANTHROPIC if other is Api.MESSAGES else Dialect.OPENAI
    return Desk(table([target("a", slot=0, dialect=dialect, apis=(other,))], [route(candidate(0, share=1.0))]))


MESSAGE = (
    b'{"id":"m","type":"message","role":"assistant","model":"x","content":[{"type":"text","text":"hello"}],'
    b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":4,"output_tokens":2}}'
)


def test_a_translated_answer_comes_in_the_callers_words() -> None:
    """Usage is read as the upstream told it."""
    desk = across()
    exchange, world = desk.open()
    assert world.last.path.endswith(b"/messages")
    exchange.on_answer(world.last, 200, DOCUMENT, b"", MESSAGE, 100.1)
    assert world.document["choices"][0]["message"]["content"] == "hello"
    assert desk.records[0].usage == Usage(4, 2)


def test_a_translated_refusal_comes_in_the_callers_shape() -> None:
    """So that its library raises what it knows."""
    desk = across(Api.MESSAGES)
    exchange, world = desk.ask(
        {"model": "chat", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}, Api.MESSAGES
    )
    assert exchange is not None
    exchange.on_answer(world.last, 400, DOCUMENT, b"", b'{"error":{"message":"too long"}}', 100.1)
    assert (world.status, world.document["type"]) == (400, "error")
    assert "too long" in world.document["error"]["message"]


def test_an_answer_that_cannot_be_translated_is_no_answer() -> None:
    """Nobody else is there, so the caller hears of it."""
    desk = across()
    exchange, world = desk.open()
    exchange.on_answer(world.last, 200, DOCUMENT, b"", b'{"type":"surprise"}', 100.1)
    assert world.status == 502
    assert desk.held() == 0


def test_a_deadline_in_the_middle_of_a_stream_is_told() -> None:
    """What was delivered is paid for."""
    desk = Desk(two(deadline_s=5.0, stall_s=30.0))
    exchange, world = desk.open(stream=True)
    exchange.on_head(world.last, 200, EVENTS, b"", 100.1)
    exchange.on_data(world.last, piece("one"), 100.2)
    exchange.on_timer(105.0)
    assert b"deadline_exceeded" in world.body
    assert desk.records[0].ending == Ending.CUT
    assert desk.records[0].nano > 0
    assert desk.held() == 0
