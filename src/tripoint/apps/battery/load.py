"""Open-loop load: requests leave at their time whatever came of the last, and each ends in exactly one way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from tripoint.apps.battery.place import Place
from tripoint.apps.battery.verdict import quantile
from tripoint.apps.battery.wire.raw import Answer, answers_in, request

PATIENCE_S = 30.0


class Fate(StrEnum):
    """How a request ended, as its caller sees it."""

    OK = "ok"
    REFUSED = "refused"
    TYPED = "typed loss"
    CUT = "visibly cut"
    SILENT = "silently truncated"
    LOST = "no answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One request."""

    at: float
    """When it left, monotonic s."""
    first_s: float
    """Until the first byte of the answer, s; 0 when none came."""
    took_s: float
    """Until its end, s."""
    fate: Fate
    """How it ended."""
    status: int
    """HTTP status, 0 when none came."""
    body: bytes
    """Body as far as it came."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of the answer."""

    @property
    def code(self) -> str:
        """The error code of a refusal or a typed loss, empty when there is none."""
        return error_code(self.body)

    @property
    def text(self) -> str:
        """Words of a streamed chat answer."""
        return streamed_text(self.body)

    @property
    def speaker(self) -> str:
        """Fingerprint beside the first word of a streamed chat answer; empty when no word came."""
        return next((speaker for speaker, word in spoken(self.body) if word), "")

    @property
    def ended_at(self) -> float:
        """When its answer had ended, monotonic s."""
        return self.at + self.took_s


Make = Callable[[int], bytes]
"""The bytes of request number n."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """All requests of a load, in the order they left."""

    all: tuple[Outcome, ...]
    """One each."""

    def count(self, *fates: Fate) -> int:
        """How many ended in one of these ways."""
        return sum(each.fate in fates for each in self.all)

    def since(self, at: float) -> Outcomes:
        """Those that left at or after a time."""
        return Outcomes(tuple(each for each in self.all if each.at >= at))

    def before(self, at: float) -> Outcomes:
        """Those that left before a time."""
        return Outcomes(tuple(each for each in self.all if each.at < at))

    def took(self, share: float) -> float:
        """Quantile of the time of those that were answered well, s."""
        return quantile([each.took_s for each in self.all if each.fate is Fate.OK], share)

    def slowest(self, share: float) -> float:
        """Quantile of the time of all of them, whatever their end, s."""
        return quantile([each.took_s for each in self.all], share)

    def __len__(self) -> int:
        return len(self.all)

    def __str__(self) -> str:
        counts = [(fate, self.count(fate)) for fate in Fate]
        return ", ".join(f"{count} {fate}" for fate, count in counts if count) or "none"


Hooks = Sequence[tuple[float, Callable[[], object]]]
"""What is done to the rig while a load runs: seconds after its start, and the deed."""
Ask = Callable[[Place, bytes], Coroutine[object, object, Outcome]]
"""Sends a request and waits for its end."""


async def offered(
    place: Place,
    make: Make,
    *,
    rate: float,
    seconds: float,
    hook: Hooks = (),
    enough: asyncio.Event | None = None,
    ask: Ask | None = None,
) -> Outcomes:
    """Sends `rate` requests per second for so long or until `enough`; each hook runs at its time, s after the start.

    `ask` says how a request is sent where that is not `sent`.
    """
    asked = ask or sent
    start = time.monotonic()
    hooks = [asyncio.create_task(_later(start + at, act)) for at, act in hook]
    tasks: list[asyncio.Task[Outcome]] = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
        if enough is not None and enough.is_set():
            break
        tasks.append(asyncio.create_task(asked(place, make(number))))
    outcomes = await asyncio.gather(*tasks)
    await asyncio.gather(*hooks)
    return Outcomes(tuple(outcomes))


async def _later(at: float, act: Callable[[], object]) -> None:
    await asyncio.sleep(max(0.0, at - time.monotonic()))
    done = act()
    if asyncio.iscoroutine(done):
        await done


async def sent(place: Place, content: bytes, *, patience_s: float = PATIENCE_S) -> Outcome:
    """One request on a connection of its own, until its answer has ended, the connection has, or patience has."""
    at = time.monotonic()
    received, first_s, is_closed = bytearray(), 0.0, False
    answer: Answer | None = None
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(patience_s):
            reader, writer = await asyncio.open_connection(place.host, place.port, ssl=place.tls)
            try:
                writer.write(content)
                while answer is None or not answer.is_whole:
                    piece = await reader.read(65536)
                    first_s = first_s or time.monotonic() - at
                    is_closed = not piece
                    received += piece
                    if is_closed or _may_be_whole(received):
                        found = answers_in(bytes(received), is_closed=is_closed)
                        answer = found[0] if found else None
                    if is_closed:
                        break
            finally:
                writer.transport.abort()
    if answer is None and received:
        found = answers_in(bytes(received), is_closed=False)
        answer = found[0] if found else None
    return _outcome(at, first_s, time.monotonic() - at, answer)


async def sent_twice(place: Place, content: bytes) -> Outcome:
    """Two requests, the second once the first was answered, as one outcome.

    Asked of a server itself, they wait for a process to be given a core as often as one request through a gateway does:
    what a busy machine adds to that one it adds to these as well.
    """
    first = await sent(place, content)
    second = await sent(place, content)
    return replace(second, at=first.at, first_s=first.first_s, took_s=second.ended_at - first.at)


def _may_be_whole(received: bytearray) -> bool:
    """Spares parsing a stream anew for each piece: only its last chunk or a length can end it."""
    return received.endswith(b"0\r\n\r\n") or b"transfer-encoding: chunked" not in received[:2048].lower()


def _outcome(at: float, first_s: float, took_s: float, answer: Answer | None) -> Outcome:
    if answer is None:
        return Outcome(at=at, first_s=first_s, took_s=took_s, fate=Fate.LOST, status=0, body=b"")
    headers = dict(answer.headers)
    fate = fate_of(answer)
    return Outcome(
        at=at, first_s=first_s, took_s=took_s, fate=fate, status=answer.status, body=answer.body, headers=headers
    )


def fate_of(answer: Answer) -> Fate:
    """How an answer ended; a stream must say itself that it is complete, or why it is not."""
    if answer.status != 200:
        return Fate.REFUSED if answer.is_whole else Fate.CUT
    if "event-stream" not in answer.header("content-type"):
        return _unary_fate(answer)
    if error_code(answer.body):
        return Fate.TYPED
    if _has_ended(answer.body):
        return Fate.OK
    return Fate.SILENT if answer.is_whole else Fate.CUT


def _unary_fate(answer: Answer) -> Fate:
    if not answer.is_whole:
        return Fate.CUT
    try:
        document = json.loads(answer.body)
    except ValueError:
        return Fate.SILENT
    return Fate.OK if isinstance(document, dict) and "error" not in document else Fate.SILENT


def _has_ended(body: bytes) -> bool:
    end = body.rstrip()[-4000:]
    return end.endswith(b"data: [DONE]") or b"event: message_stop" in end or b"event: response.completed" in end


def error_code(body: bytes) -> str:
    """Code (or type) of the error in a body or in the last events of a stream; empty when there is none."""
    candidates = [body] if body.lstrip()[:1] == b"{" else [
        line[5:] for line in body[-8000:].split(b"\n") if line.startswith(b"data:") and b'"error"' in line
    ]  # fmt: skip
    for candidate in candidates:
        with contextlib.suppress(ValueError, AttributeError):
            document = json.loads(candidate)
            error = document.get("error") or (document.get("response") or {}).get("error")
            if isinstance(error, dict):
                return str(error.get("code") or error.get("type") or "error")
    return ""


def streamed_text(body: bytes) -> str:
    """The words of a streamed chat answer."""
    return "".join(word for _, word in spoken(body))


def spoken(body: bytes) -> list[tuple[str, str]]:
    """The fingerprint and the words of each event of a streamed chat answer that has any choice."""
    found = []
    for line in body.split(b"\n"):
        if line.startswith(b"data: {"):
            with contextlib.suppress(ValueError, KeyError, IndexError, TypeError):
                event = json.loads(line[6:])
                word = event["choices"][0]["delta"].get("content") or ""
                found.append((str(event.get("system_fingerprint") or ""), word))
    return found


def chats(place: Place, **members: object) -> Make:
    """Chat requests, each with a prompt of its own."""

    def make(number: int) -> bytes:
        prompt = [{"role": "user", "content": f"Say some words for caller {number}."}]
        body = json.dumps({"model": place.model, "messages": prompt, "max_tokens": 20, **members}).encode()
        return request(place, body=body)

    return make
