"""The ledger process: `python -m tripoint.apps.ledger.main LAUNCH`, started by the supervisor only.

Workers never wait for it: what they record is on disk, and is loaded once it runs. It ends when its channel does.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path

import msgspec

from tripoint.apps import stores
from tripoint.apps.ledger.chores import Chores
from tripoint.apps.ledger.launch import STORE_VARIABLE, LedgerLaunch
from tripoint.apps.ledger.loader import Loader

_log = logging.getLogger("tripoint.ledger")


async def run(launch: LedgerLaunch, url: str) -> None:
    """Loads until the supervisor is gone or SIGTERM comes; then what is left."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # a terminal sends it to all; the supervisor decides
    control = socket.socket(fileno=launch.control_fd)
    control.setblocking(False)
    loop.add_reader(control, ended.set)
    turns = threading.Lock()
    run_dir = Path(launch.run_dir)
    tail = stores.open_segment_tail(run_dir / "usage")
    chores = Chores(launch, url, lambda snapshot: stores.write_figures(run_dir / "metrics", snapshot), _log.warning)
    loader = Loader(lambda: stores.open_ledger(url, turns), tail, _log.warning, chores.between_rounds)
    chores.loader = loader
    loader.start()
    telling = loop.create_task(chores.tell())
    try:
        await ended.wait()
    finally:
        loop.remove_reader(control)
        await asyncio.to_thread(loader.end, launch.end_s)
        telling.cancel()
        chores.write()
        control.close()


def main(arguments: list[str]) -> None:
    """Runs it."""
    logging.basicConfig(format="ledger: %(message)s", level=logging.WARNING)
    launch = msgspec.json.decode(arguments[0], type=LedgerLaunch)
    asyncio.run(run(launch, os.environ[STORE_VARIABLE]))


if __name__ == "__main__":
    main(sys.argv[1:])
