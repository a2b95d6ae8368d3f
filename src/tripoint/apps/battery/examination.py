"""The two examinations of `tripoint verify gateway`: somebody's deployment from outside, or a gateway of our own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from tripoint.apps.battery.faults.answers import bad_answers
from tripoint.apps.battery.faults.budgets import budgeted
from tripoint.apps.battery.faults.capacity import spilled
from tripoint.apps.battery.faults.loss import killed_streams, killed_unary, stopped
from tripoint.apps.battery.faults.readers import unread
from tripoint.apps.battery.faults.recovery import amplified, cold_start, recovered
from tripoint.apps.battery.faults.upheaval import upheaval
from tripoint.apps.battery.place import Place
from tripoint.apps.battery.rig.scene import Cast, staged
from tripoint.apps.battery.verdict import Report, Row, Tell
from tripoint.apps.battery.wire.battery import wire_rows

Act = Callable[[], Awaitable[list[Row]]]

# Each stage runs its acts at the same time; what is timed runs alone, and so does R5, whose servers live with us.
STAGES: tuple[tuple[str, tuple[Act, ...]], ...] = (
    ("R1: kill -9 under unary load", (killed_unary,)),
    ("R10: cold start", (cold_start,)),
    ("R2, R3: kill -9 under streams; R6: recovery", (killed_streams, recovered)),
    ("R5: bad answers", (bad_answers,)),
    ("R4: SIGSTOP; R8: spill", (stopped, spilled)),
    ("R15: a budget, a thousand callers, kill -9 of a worker and of the ledger process", (budgeted,)),
    ("R7: total outage; callers who do not read", (amplified, unread)),
    ("R9, R16, R23, R27: full disk, reloads, panic, residency, accounts, secrets", (upheaval,)),
)
"""The faults, in the order they are tried."""
QUICK = 4
"""Stages of a quick run."""
OWN_IDLE = 10_000
OWN_BODY_BAR_S = 30.0


async def examine_deployment(place: Place, tell: Tell, *, is_quick: bool) -> Report:
    """The wire battery against a deployment; nothing of it is killed, and load is bounded."""
    started = time.monotonic()
    rows = await wire_rows(place, tell, is_quick=is_quick)
    scheme = "https" if place.tls else "http"
    target = f"{scheme}://{place.authority}{place.base_path}"
    return Report(target=target, rows=tuple(rows), took_s=time.monotonic() - started)


async def examine_own(tell: Tell, *, is_quick: bool, workers: int = 1) -> Report:
    """The wire battery and the fault table against a gateway and model servers started for it."""
    started = time.monotonic()
    rows = await own_fault_rows(tell, STAGES[:QUICK] if is_quick else STAGES)
    rows += await own_wire_rows(tell, is_quick=is_quick, workers=workers)
    target = f"a gateway of its own with three model servers, {workers} worker{'s' if workers != 1 else ''}"
    return Report(target=target, rows=tuple(rows), took_s=time.monotonic() - started)


async def own_fault_rows(tell: Tell, stages: Sequence[tuple[str, tuple[Act, ...]]]) -> list[Row]:
    """The rows of some stages, in the order of their numbers."""
    rows: list[Row] = []
    for told, acts in stages:
        tell(told)
        for found in await asyncio.gather(*(act() for act in acts)):
            rows += found
    return sorted(rows, key=_number)


async def own_wire_rows(tell: Tell, *, is_quick: bool, workers: int = 1) -> list[Row]:
    """The rows of the wire battery against a gateway of our own."""
    async with staged(Cast(workers=workers)) as scene:
        idle = None if is_quick else OWN_IDLE
        return await wire_rows(scene.chat, tell, is_quick=is_quick, idle=idle, body_bar_s=OWN_BODY_BAR_S)


def _number(row: Row) -> tuple[int, str]:
    digits = "".join(sign for sign in row.id if sign.isdigit())
    return (int(digits) if digits else 99, row.id)
