"""Instructions a request and a streamed event take, without the kernel: `python -m benchmarks.gateway.instructions`.

Counted by valgrind, so that it does not matter what else the machine does: for telling whether a change brought
anything where times cannot tell. Beside them what a nearest cache of 32 kB for code and 48 kB for data would miss, in
lines of 64 bytes. Counting begins once everything has been used. With `PYTHONPATH=out/fast` it counts the compiled data
path.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path
from typing import Any, cast

from benchmarks.gateway.parts import Bench, Nowhere, answer, event
from benchmarks.measure import start, table
from tripoint.apps import stores, wiring
from tripoint.apps.gateway.http.connection import Connection
from tripoint.apps.gateway.worker.recorder import Recorder
from tripoint.apps.gateway.worker.seal import Seal
from tripoint.domain.budget import Grant
from tripoint.domain.tenancy import Accounts, Budget, Quota, Scope, Tenant, Window
from tripoint.engines.gateway.entry.keyring import Register

_RUNS = {"a whole request": 1_280, "one with accounts": 1_280, "an event of a stream": 2_000, "a request of 300 kB": 40}
"""Items of a run that is counted."""
_TOGETHER = 64
"""Requests under way at once."""
_FIRST = 8
"""Rounds of all of them before counting begins."""
_COLLECTED = re.compile(r"Collected : ([0-9 ]+)")
_CACHES = ("--cache-sim=yes", "--I1=32768,8,64", "--D1=49152,12,64", "--LL=33554432,16,64")


def _accounts() -> Accounts:
    """The tenant of the bench's key, a quota and budgets of tenant, key and workload; nothing comes near their ends."""
    tenant = Tenant(id="team", name="team", created_at=0.0)
    whole = Scope(tenant="team")
    quota = Quota(id="team", scope=whole, requests_per_min=10**9, tokens_per_min=10**9, concurrency=10**5)
    scopes = (whole, Scope(tenant="team", key="bench"), Scope(tenant="team", workload="assistant"))
    budgets = tuple(
        Budget(id=f"team.{number}", scope=scope, window=Window.DAY, limit_nano=10**15)
        for number, scope in enumerate(scopes)
    )
    return Accounts(revision=1, tenants=(tenant,), quotas=(quota,), budgets=budgets)


def _open_accounts(bench: Bench, recorder: Recorder, folder: Path) -> Callable[[], None]:
    """Has the bench go by accounts, the slices of budgets as large as they are; what follows each drain is returned."""
    accounts, admission = _accounts(), bench.gateway.admission
    admission.rates = stores.open_rates(wiring.make_board(1), 0, 1)
    admission.sheet = sheet = stores.open_lease_sheet(folder / "leases", "bench")
    bench.gateway.register(Register(accounts, b""))
    for budget in accounts.budgets:
        at = time.monotonic() + bench.gateway.epoch
        account = admission.purse.account(budget, at)
        admission.purse.grant(Grant(budget.id, account.window, budget.limit_nano, 0, budget.limit_nano, 0), at)
    bench.lobby.reloaded()
    bench.lobby.seal = Seal(recorder).hold

    def drained() -> None:
        sheet.recorded(recorder.taken, is_lost=False)
        sheet.safe(recorder.durable)

    return drained


async def _with_accounts(count: int, settle: Callable[[], None]) -> None:
    """The same under quota and budgets, each answer ending once its record is durable."""
    await _requests(count, settle, has_accounts=True)


async def _requests(count: int, settle: Callable[[], None], *, has_accounts: bool = False) -> None:
    """So many requests of differing length, as many at once as a busy worker has, counted and recorded as it does."""
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder), "", worker=0, incarnation="bench")
        bench = Bench(recorder.record)
        recorder.learn(bench.table)
        drained = _open_accounts(bench, recorder, Path(folder)) if has_accounts else None
        bench.gateway.router._look_at = inf  # looks come by the clock, not by requests: under valgrind far too many
        body = answer()
        reply = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        asked = [bench.request(600 + more) for more in range(_TOGETHER)]
        callers = [_caller(bench) for _ in range(_TOGETHER)]
        for number in range(_FIRST + count // _TOGETHER):
            if number == _FIRST:
                settle()
            for place, caller in enumerate(callers):
                caller.data_received(asked[(place * 7 + number) % _TOGETHER])
                line: Any = caller._line
                if line._transport is None:  # nobody dials here
                    line.connection_made(Nowhere())
            for caller in callers:
                cast(Any, caller._line).data_received(reply)
            while drained and any(cast(Any, caller)._is_busy for caller in callers):
                await asyncio.sleep(0.1)
            if drained:
                drained()
            else:
                recorder.drain()  # as a sweep does; with accounts the seal has seen to it
        settle()
        recorder.close()


def _caller(bench: Bench) -> Connection:
    connection = Connection(bench.lobby)
    connection.connection_made(cast(Any, Nowhere()))
    return connection


async def _events(count: int, settle: Callable[[], None]) -> None:
    """So many events of one stream."""
    bench = Bench(lambda record: None)
    line = bench.ask(bench.request(is_stream=True))
    piece = event(" tok7")
    chunk = b"%x\r\n%b\r\n" % (len(piece), piece)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    line.data_received(head + chunk)
    for number in range(_FIRST + count):
        if number == _FIRST:
            settle()
        line.data_received(chunk)
    settle()


async def _long(count: int, settle: Callable[[], None]) -> None:
    """So many requests of 300 kB, one after the other, in pieces as a socket gives them."""
    bench = Bench(lambda record: None)
    body = answer()
    reply = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    large = bench.request(300_000)
    parts = [large[at : at + 65_536] for at in range(0, len(large), 65_536)]
    for number in range(_FIRST + count):
        if number == _FIRST:
            settle()
        bench.ask(*parts).data_received(reply)
    settle()


_KINDS = {"one with accounts": _with_accounts, "an event of a stream": _events, "a request of 300 kB": _long}
"""What is run for each of `_RUNS`; requests where nothing is said."""


class Watch:
    """What is done where counting begins, and again where it ends."""

    def __init__(self, *, is_counted: bool) -> None:
        self._is_counted = is_counted
        self._is_on = False

    def __call__(self) -> None:
        """Begins with the collector as a worker has it."""
        if not self._is_on:
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 50, 50)
        self._is_on = not self._is_on
        if self._is_counted:
            told = "--instr=on" if self._is_on else "--instr=off"
            subprocess.run(["callgrind_control", told, str(os.getpid())], stdout=subprocess.DEVNULL, check=True)


def _count(kind: str, items: int) -> list[float]:
    """Instructions of an item, lines of code missed and lines of data missed."""
    command = ["valgrind", "--tool=callgrind", *_CACHES, "--instr-atstart=no", "--callgrind-out-file=/dev/null"]
    command += [sys.executable, "-m", __spec__.name, "--counted", "--run", kind, str(items)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = _COLLECTED.search(done.stderr)
    assert found, done.stderr[-1000:]
    # Instructions, reads and writes of data; then those of each that missed the nearest cache.
    instructions, _, _, code, read, written = (int(count) / items for count in found[1].split()[:6])
    return [instructions, code, read + written]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.gateway.instructions")
    parser.add_argument("--run", nargs=2, metavar=("KIND", "ITEMS"), help="only run so many; what valgrind watches")
    parser.add_argument("--counted", action="store_true", help="valgrind is to begin and to end when the run says so")
    options = parser.parse_args(arguments)
    if options.run:
        kind, items = options.run
        run = _KINDS.get(kind, _requests)
        asyncio.run(run(int(items), Watch(is_counted=options.counted)))
        return
    start("Instructions of the gateway, without the kernel")
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed")
    rows = [(kind, *(f"{each:,.0f}" for each in _count(kind, items))) for kind, items in _RUNS.items()]
    table(("part", "instructions", "lines of code missed", "lines of data missed"), rows)


if __name__ == "__main__":
    main()
