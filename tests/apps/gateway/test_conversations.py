"""Whole conversations with a running gateway, cut into pieces anywhere, and damaged anywhere."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.factories.rigs import rig

from tripoint.apps.battery.place import Place
from tripoint.apps.battery.wire.raw import Talk, converse, request

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

EXAMPLES = 60
DAMAGES = 120
KINDS = ("models", "chat", "chunked", "stream", "unknown", "wrong")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A gateway before two servers."""
    with rig(tmp_path_factory.mktemp("conversations")) as found:
        yield found.gateway.place()


def conversation(place: Place, kinds: Sequence[str]) -> bytes:
    """Requests of these kinds, one behind the other on one connection."""
    asked = {"model": "chat", "messages": [{"role": "user", "content": "Say \u00e9\U0001f600."}], "max_tokens": 3}
    body, streamed = (json.dumps(each, ensure_ascii=False).encode() for each in (asked, {**asked, "stream": True}))
    half = len(body) // 2
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:half], body[half:])) + b"0\r\n\r\n"
    chunked = [("Transfer-Encoding", "chunked"), ("Content-Type", "application/json")]
    sent = {
        "models": request(place, method="GET", path="/models"),
        "chat": request(place, body=body),
        "chunked": request(place, headers=chunked) + chunks,
        "stream": request(place, body=streamed),
        "unknown": request(place, method="GET", path="/none"),
        "wrong": request(place, body=body.replace(b'"chat"', b'"nobody"')),
    }
    return b"".join(sent[kind] for kind in kinds)


def held(place: Place, pieces: Sequence[bytes | float], answers: int) -> Talk:
    """The conversation, until that many answers or the end of the connection."""
    return asyncio.run(converse(place, pieces, patience_s=15, linger_s=0.02, answers=answers))


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=4),
    shares=st.sets(st.floats(0, 1, exclude_max=True), max_size=6),
)
def test_requests_may_be_cut_anywhere(place: Place, kinds: list[str], shares: set[float]) -> None:
    """However the bytes arrive, each request gets its own answer, in order; a path that is unknown ends the talk."""
    sent = conversation(place, kinds)
    cuts = sorted(int(share * len(sent)) for share in shares)
    pieces: list[bytes | float] = []
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        pieces += [sent[start:end], 0.001]
    if "unknown" in kinds:
        kinds = kinds[: kinds.index("unknown") + 1]
    talk = held(place, pieces, len(kinds))
    wanted = [{"unknown": 404, "wrong": 404}.get(kind, 200) for kind in kinds]
    assert [answer.status for answer in talk.answers] == wanted
    for kind, answer in zip(kinds, talk.answers, strict=True):
        assert answer.is_whole
        if kind == "stream":
            assert answer.body.endswith(b"data: [DONE]\n\n")
        elif kind in ("chat", "chunked"):
            assert json.loads(answer.body)["usage"]["completion_tokens"] == 3


@settings(max_examples=DAMAGES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(KINDS),
    at=st.floats(0, 1),
    cut=st.integers(0, 40),
    put=st.one_of(
        st.binary(max_size=12), st.sampled_from([b"\r\n", b"\n", b"\r\n\r\n", b"\x00", b" ", b":", b"0\r\n"])
    ),
)
@example(kind="chunked", at=0.5, cut=0, put=b"\r\n0\r\n\r\nGET /v1/models HTTP/1.1\r\n\r\n")
def test_damage_anywhere_is_answered_or_refused_but_never_served_twice(
    place: Place, kind: str, at: float, cut: int, put: bytes
) -> None:
    """One damaged request and a good one behind it: no crash, no error of ours, no third answer."""
    first = conversation(place, [kind])
    where = int(at * len(first))
    damaged = first[:where] + put + first[where + cut :]
    talk = asyncio.run(
        converse(place, [damaged + conversation(place, ["models"])], patience_s=0.3, linger_s=0.02, answers=2)
    )
    assert len(talk.answers) <= 2
    # 502 would be an upstream's word on a body that is JSON still and asks nonsense.
    assert [each.status for each in talk.answers if each.status >= 500 and each.status not in (501, 502, 505)] == []
    alive = held(place, [conversation(place, ["models"])], 1)
    assert alive.status == 200


def test_what_was_sent_ahead_is_read_in_order(place: Place) -> None:
    """Bytes that arrive in the moment between an answer and what waits behind it must not overtake it."""
    kinds = ("chunked", "chat", "chunked", "stream")
    sent = conversation(place, kinds)
    draw = random.Random(1)

    async def many() -> list[list[int]]:
        statuses = []
        for _ in range(12):
            batches = []
            for _ in range(8):
                cuts = sorted(draw.randrange(len(sent)) for _ in range(3))
                pieces: list[bytes | float] = []
                for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
                    pieces += [sent[start:end], draw.choice([0.0005, 0.001, 0.002, 0.004])]
                batches.append(converse(place, pieces, patience_s=15, linger_s=0.02, answers=len(kinds)))
            talks = await asyncio.gather(*batches)
            statuses += [[answer.status for answer in talk.answers] for talk in talks]
        return statuses

    assert asyncio.run(many()) == [[200] * len(kinds)] * 96
