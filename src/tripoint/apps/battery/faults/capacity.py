"""The survivor is smaller than what was lost: R8."""

from __future__ import annotations

import asyncio

from tripoint.apps.battery.load import Fate, Outcomes, chats, offered
from tripoint.apps.battery.rig.scene import Cast, staged
from tripoint.apps.battery.verdict import Row, judged, told

SERVICE_S = 0.2
RATE = 25.0
ROOM = 4
SHED_MS = 50.0
SECONDS = 8.0
_KILL_AT_S = 2.0


async def spilled() -> list[Row]:
    """R8: the private tier dies; the cloud has room for 40 % of the traffic, of which half is urgent."""
    cast = Cast(behaviour={"first_byte_s": SERVICE_S}, capacities={"dense-1": 64, "cloud-1": ROOM})
    async with staged(cast) as scene:
        batch = scene.gateway.place("batch")
        urgent, patient = await asyncio.gather(
            offered(scene.chat, chats(scene.chat), rate=RATE, seconds=SECONDS, hook=[(_KILL_AT_S, scene.dense.kill)]),
            offered(batch, chats(batch), rate=RATE, seconds=SECONDS),
        )
        most = (await scene.cloud.counts())["most_at_once"]
    after = urgent.all[0].at + _KILL_AT_S + 1.0
    urgent, patient = urgent.since(after), patient.since(after)
    return [_judged_spill(urgent, patient, most)]


def _judged_spill(urgent: Outcomes, patient: Outcomes, most: int) -> Row:
    shed = [each for each in (*urgent.all, *patient.all) if each.fate is Fate.REFUSED]
    shed_ms = 1000 * Outcomes(tuple(shed)).slowest(0.95)
    shares = [outcomes.count(Fate.OK) / max(1, len(outcomes)) for outcomes in (urgent, patient)]
    admitted = urgent.count(Fate.OK) + patient.count(Fate.OK)
    room = ROOM / SERVICE_S * (SECONDS - _KILL_AT_S - 1.0)
    faults = [f"{most} at once on the survivor, {ROOM} allowed"] if most > ROOM else []
    faults += ["urgent requests were served no better"] if shares[0] <= shares[1] else []
    faults += [f"refusals took {shed_ms:.0f} ms"] if shed_ms > SHED_MS else []
    others = [each for each in shed if each.status not in (429, 503) or "retry-after" not in each.headers]
    faults += [f"{len(others)} refusals other than 429 or 503 with Retry-After"] if others else []
    unanswered = len(urgent) + len(patient) - admitted - len(shed)
    faults += [f"{unanswered} without a proper end"] if unanswered else []
    faults += [f"only {admitted} admitted where {room:.0f} fit"] if admitted < 0.5 * room else []
    seen = f"{most} at once; served {shares[0]:.0%} of priority 1, {shares[1]:.0%} of priority 5; {len(shed)} shed, "
    seen += f"95 % within {shed_ms:.0f} ms" + ("; " + told(faults, "") if faults else "")
    what = f"private tier lost at {2 * RATE:.0f} requests/s, survivor sized 40 %"
    bar = f"never above its limit, priority 1 first, the rest shed within {SHED_MS:.0f} ms"
    return judged("R8", what, bar, passed=not faults, seen=seen)
