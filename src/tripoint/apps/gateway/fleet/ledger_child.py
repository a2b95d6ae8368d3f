"""The ledger process beside the workers: started, started again when it dies, and the last to end."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from time import monotonic

import msgspec

from tripoint.apps.gateway.fleet.options import ServeOptions
from tripoint.apps.ledger.launch import STORE_VARIABLE, LedgerLaunch

_LEDGER = "tripoint.apps.ledger.main"
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S, _HEALTHY_S = 0.1, 5.0, 10.0
_END_S = 20.0


class LedgerChild:
    """Keeps one ledger process running."""

    def __init__(self, options: ServeOptions, note: Callable[[str], None]) -> None:
        self._options = options
        self._note = note
        self._process: asyncio.subprocess.Process | None = None
        self._held: socket.socket | None = None
        self._is_ending = False

    async def keep(self) -> None:
        """Runs it, again and again, until told to end."""
        pause = _SHORTEST_PAUSE_S
        while True:
            began = monotonic()
            code = await self._run_one()
            if self._is_ending:
                return
            pause = _SHORTEST_PAUSE_S if monotonic() - began > _HEALTHY_S else min(2 * pause, _LONGEST_PAUSE_S)
            self._note(f"the ledger process ended with code {code}; records wait on disk, a new one is started")
            await asyncio.sleep(pause)

    async def end(self) -> None:
        """Has it load what is left, once nobody records any more; kills it when it takes longer than it may."""
        self._is_ending = True
        process = self._process
        if process is None:
            return
        self._let_go()
        try:
            await asyncio.wait_for(process.wait(), _END_S + 3.0)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _run_one(self) -> int:
        ours, theirs = socket.socketpair()
        self._held = ours
        launch = LedgerLaunch(run_dir=str(self._options.run_dir), control_fd=theirs.fileno(), end_s=_END_S)
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", _LEDGER, msgspec.json.encode(launch).decode(),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=os.environ | {STORE_VARIABLE: self._options.store},
            )  # fmt: skip
        code = await self._process.wait()
        self._process = None
        self._let_go()
        return code

    def _let_go(self) -> None:
        """Closes our end of the channel: the process then ends in order."""
        if self._held is not None:
            self._held.close()
            self._held = None
