"""An attack on the wire and how its outcome is judged: at most one answer, a refusal, a closed connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tripoint.apps.battery.place import Place
from tripoint.apps.battery.verdict import Row, judged, told
from tripoint.apps.battery.wire.raw import Answer, Talk, converse

AT_ONCE = 12

Judge = Callable[[Talk], str]
"""What is wrong with a conversation, empty when nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One conversation and what must come of it."""

    name: str
    """What is done, in a few words."""
    pieces: tuple[bytes | float, ...]
    """What is sent; numbers are pauses, s."""
    judge: Judge
    """What is wrong with the outcome."""
    patience_s: float = 5.0
    """How long the other side may take."""
    answers: int = 1
    """Whole answers to wait for."""


def refused(talk: Talk) -> str:
    """Fault unless there is one answer of class 4xx (or 501, 505) or none, and the connection ends."""
    if len(talk.answers) > 1:
        return f"answered {len(talk.answers)} times ({', '.join(str(each.status) for each in talk.answers)})"
    if talk.answers and not _is_refusal(talk.status):
        return f"answered {talk.status}"
    return "" if talk.is_closed else "left the connection open"


def refused_politely(*statuses: int) -> Judge:
    """Judge: one of these statuses, whole, in the shape of an OpenAI error; the connection may stay."""

    def judge(talk: Talk) -> str:
        if talk.status not in statuses:
            return f"answered {talk.status or 'nothing'}, not {' or '.join(map(str, statuses))}"
        if len(talk.answers) > 1:
            return f"answered {len(talk.answers)} times"
        return "" if talk.answers[0].is_whole else "answered by halves"

    return judge


def harmless(talk: Talk) -> str:
    """Fault when it is answered twice or by an error of its own (5xx); anything else is harmless."""
    if len(talk.answers) > 1:
        return f"answered {len(talk.answers)} times"
    if 500 <= talk.status < 600 and talk.status not in (501, 505):
        return f"answered {talk.status}"
    return "" if talk.answers or talk.is_closed else "no answer"


def shape_fault(answer: Answer) -> str:
    """What is wrong with the body of a refusal as OpenAI's SDKs read it; empty when nothing is."""
    try:
        document = json.loads(answer.body)
        error = document["error"]
        missing = [name for name in ("message", "type", "code", "param") if name not in error]
    except (ValueError, KeyError, TypeError):
        return "the body is no OpenAI error"
    if missing:
        return f"the error lacks {', '.join(missing)}"
    return "" if isinstance(error["message"], str) and error["message"] else "the error has no message"


async def outcomes(place: Place, attacks: Sequence[Attack]) -> list[tuple[Attack, Talk]]:
    """Every attack with its conversation, a dozen at a time."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(attack: Attack) -> tuple[Attack, Talk]:
        async with turn:
            talk = await converse(place, attack.pieces, patience_s=attack.patience_s, answers=attack.answers)
            return attack, talk

    return list(await asyncio.gather(*(one(attack) for attack in attacks)))


async def tried(place: Place, head: tuple[str, str, str], attacks: Sequence[Attack]) -> Row:
    """All attacks of one kind as a row; `head` is its id, what is done and the bar."""
    done = await outcomes(place, attacks)
    faults = []
    for attack, talk in done:
        fault = f"no connection: {talk.error}" if talk.error else attack.judge(talk)
        faults += [f"{attack.name}: {fault}"] if fault else []
    count = f"{len(done) - len(faults)} of {len(done)}"
    return judged(*head, passed=not faults, seen=told(faults, f"{count} as wanted"))


def _is_refusal(status: int) -> bool:
    return 400 <= status < 500 or status in (501, 505)
