"""Upstreams that die or hang under load: R1 to R4."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Mapping

from tripoint.apps.battery.load import Fate, Outcome, Outcomes, chats, offered, sent, sent_twice, streamed_text
from tripoint.apps.battery.place import Place
from tripoint.apps.battery.rig.estate import NAME_THERE
from tripoint.apps.battery.rig.scene import Cast, Scene, staged
from tripoint.apps.battery.rig.servers import ModelProcess
from tripoint.apps.battery.verdict import Row, judged, quantile, told

RATE = 50.0
WARM_S = 2.0
AFTER_S = 6.5
ADDED_MS = 100.0
LATE_BAR = 3
FIRST_BYTE_S = 2.0
Lines = Mapping[str, Mapping[str, object]]
"""The gateway's access log, by request id."""


class Deed:
    """Something done once to the rig, with the time it was done."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act
        self.at = 0.0

    def __call__(self) -> None:
        """Does it and notes when."""
        self.at = time.monotonic()
        self._act()


async def killed_unary() -> list[Row]:
    """R1: kill -9 of the upstream that has all the traffic, at 50 requests per second.

    Beside them a server that nobody kills is asked without a gateway, so that it shows how busy the machine is.
    """
    async with staged(Cast(behaviour={"first_byte_s": 0.02})) as scene:
        kill = Deed(scene.dense.kill)
        there = _directly(scene.abroad)
        seconds = WARM_S + AFTER_S
        outcomes, beside = await asyncio.gather(
            offered(scene.chat, chats(scene.chat), rate=RATE, seconds=seconds, hook=[(WARM_S, kill)]),
            offered(there, chats(there), rate=RATE, seconds=seconds, ask=sent_twice),
        )
    return [_judged_kill(outcomes, kill.at, beside)]


def _judged_kill(outcomes: Outcomes, at: float, beside: Outcomes) -> Row:
    """Judged by what callers saw; what requests of no gateway saw meanwhile is only shown, and excuses nothing."""
    before, after = outcomes.before(at - 0.5), outcomes.since(at - 0.5)
    lost = len(outcomes) - outcomes.count(Fate.OK)
    added_ms = 1000 * (after.took(0.99) - before.took(0.99))
    worst_ms = 1000 * (after.took(1.0) - before.took(0.5))
    machine_ms = 1000 * (beside.since(at - 0.5).took(0.99) - beside.before(at - 0.5).took(0.99))
    seen = f"{lost} of {len(outcomes)} lost, {len(after)} of them after; p99 {added_ms:+.0f} ms, worst "
    seen += f"{worst_ms:+.0f} ms; requests of no gateway meanwhile: p99 {machine_ms:+.0f} ms"
    if lost:
        seen += f"; {outcomes}: {told(sorted({each.code or each.fate for each in outcomes.all}), '')}"
    bar = f"0 lost, p99 at most {ADDED_MS:.0f} ms more"
    is_met = not lost and added_ms <= ADDED_MS
    return judged("R1", f"kill -9 of the serving upstream, {RATE:.0f} unary requests/s", bar, passed=is_met, seen=seen)


def _directly(server: ModelProcess) -> Place:
    """A server as it is asked without a gateway."""
    return Place(host="127.0.0.1", port=server.port, key=server.secret, model=NAME_THERE)


async def killed_streams() -> list[Row]:
    """R2 and R3: kill -9 with streams in every phase; every second stream is greedy and may be resumed."""
    async with staged(Cast(behaviour={"first_byte_s": 0.5, "between_s": 0.05})) as scene:
        plain, greedy = chats(scene.chat, stream=True), chats(scene.chat, stream=True, temperature=0)
        kill = Deed(scene.dense.kill)
        outcomes = await offered(
            scene.chat,
            lambda number: (greedy if number % 2 else plain)(number),
            rate=40.0,
            seconds=4.0,
            hook=[(2.5, kill)],
        )
        lines = scene.gateway.access_lines()
        await scene.cloud.behave()
        resumed = [(number, each) for number, each in enumerate(outcomes.all) if number % 2 and each.at < kill.at]
        wrong = await _unlike_the_original(scene, resumed)
    waiting, begun = open_at(outcomes, kill.at, "dense-1")
    first = _before_first_token(waiting, kill.at, lines)
    return [first, _mid_stream(outcomes, begun), _resumed(outcomes, kill.at, wrong)]


def open_at(outcomes: Outcomes, at: float, dead: str) -> tuple[list[Outcome], list[Outcome]]:
    """The streams that were open when a server was killed: those still without a word of it, and those with one.

    By what they carry, not by when the caller read it: a word that bears a dead server's fingerprint was said before
    it died, however late a busy caller hears of it; and where there is none, the caller was promised another site.
    """
    hit = [each for each in outcomes.all if each.at < at < each.ended_at]
    return [each for each in hit if each.speaker != dead], [each for each in hit if each.speaker == dead]


def _before_first_token(waiting: list[Outcome], at: float, lines: Lines) -> Row:
    lost = [_told_of(each, at, lines) for each in waiting if each.fate is not Fate.OK]
    seen = f"{len(lost)} of {len(waiting)} waiting streams lost" + (": " + told(lost, "") if lost else "")
    return judged("R2", "kill -9 before the first token", "0 lost", passed=not lost and len(waiting) > 0, seen=seen)


def _told_of(lost: Outcome, at: float, lines: Lines) -> str:
    """What is known of a lost stream: the caller's side in ms from the kill, and the gateway's."""

    def since(seconds: float) -> str:
        return f"{1000 * (lost.at + seconds - at):+.0f} ms"

    first = f"first byte {since(lost.first_s)}" if lost.first_s else "no byte"
    words = f"{len(lost.text.split())} words" + (f" of {lost.speaker}" if lost.speaker else "")
    line = lines.get(lost.headers.get("x-request-id", ""))
    if line is None:
        account = "no line of the gateway's"
    else:
        account = f"gateway: {line['ending']} at {line['upstream'] or 'none'} after {line['attempts']} attempts"
    code = f" {lost.code}" if lost.code else ""
    return f"{lost.fate}{code} (sent {since(0.0)}, {first}, {words}, end {since(lost.took_s)}; {account})"


def _mid_stream(outcomes: Outcomes, begun: list[Outcome]) -> Row:
    hit = Outcomes(tuple(begun))
    codes = sorted({each.code for each in hit.all if each.fate is Fate.TYPED})
    bad = len(outcomes) - outcomes.count(Fate.OK, Fate.TYPED)
    seen = f"{len(hit)} streams were open: {hit}" + (f" ({', '.join(codes)})" if codes else "")
    seen += f"; {bad} of all {len(outcomes)} neither complete nor told" if bad else ""
    is_met = not bad and codes in ([], ["upstream_lost"]) and bool(hit.all)
    bar = "every stream ends with [DONE] or a typed `upstream_lost`"
    return judged("R3", "kill -9 in the middle of streams", bar, passed=is_met, seen=seen)


def _resumed(outcomes: Outcomes, at: float, wrong: int) -> Row:
    greedy = Outcomes(outcomes.all[1::2])
    whole = greedy.count(Fate.OK)
    seen = (
        f"{whole} of {len(greedy)} complete, {wrong} of those begun before the kill differ from an undisturbed answer"
    )
    is_met = whole == len(greedy) and not wrong and len(greedy.before(at)) > 0
    bar = "100 % complete, text as undisturbed"
    return judged("R3b", "the same, greedy requests on reproducible upstreams", bar, passed=is_met, seen=seen)


async def _unlike_the_original(scene: Scene, resumed: list[tuple[int, Outcome]]) -> int:
    """How many texts differ from what the surviving server says to the same prompt on its own."""
    there = _directly(scene.cloud)
    make = chats(there, stream=True, temperature=0)
    wrong = 0
    for number, outcome in resumed:
        original = await sent(there, make(number))
        wrong += outcome.fate is Fate.OK and outcome.text != streamed_text(original.body)
    return wrong


async def stopped() -> list[Row]:
    """R4: SIGSTOP, which keeps connections open and answers nothing."""
    serving = {"first_byte_s": FIRST_BYTE_S}
    async with staged(Cast(behaviour={"first_byte_s": 0.02}, serving=serving)) as scene:
        stop = Deed(lambda: scene.dense.signal(signal.SIGSTOP))
        outcomes = await offered(scene.chat, chats(scene.chat), rate=RATE, seconds=8.0, hook=[(WARM_S, stop)])
        memory = scene.gateway.memory_mib()
    lost = len(outcomes) - outcomes.count(Fate.OK)
    slow_s = max(0.5, 4 * outcomes.before(stop.at - 0.5).took(0.99))
    slow = [each for each in outcomes.since(stop.at - 0.5).all if each.took_s > slow_s]
    late = [each for each in slow if each.at > stop.at + FIRST_BYTE_S + 0.5]
    worst = quantile([each.took_s for each in slow], 1.0)
    seen = f"{lost} of {len(outcomes)} lost; {len(slow)} waited over {slow_s:.1f} s (longest {worst:.1f} s), "
    seen += f"{len(late)} of them after ejection; {memory:.0f} MiB"
    bar = f"0 lost; after ejection at most {LATE_BAR} in 4 s pay the wait"
    what = f"SIGSTOP of the serving upstream, {RATE:.0f} unary requests/s"
    return [judged("R4", what, bar, passed=not lost and len(late) <= LATE_BAR, seen=seen)]
