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
from typing import TYPE_CHECKING

import msgspec

from tripoint.apps import stores
from tripoint.apps.ledger.accounts import AccountChores
from tripoint.apps.ledger.chores import Chores
from tripoint.apps.ledger.launch import STORE_VARIABLE, LedgerLaunch
from tripoint.apps.ledger.leases.counter import Counter
from tripoint.apps.ledger.leases.graves import Graves
from tripoint.apps.ledger.leases.nodes import node_of
from tripoint.apps.ledger.leases.till import StoreTill
from tripoint.apps.ledger.loader import Loader

if TYPE_CHECKING:
    from tripoint.adapters.segment_tail import SegmentTail
    from tripoint.ports import Ledger

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
    charger = stores.make_charger()
    chores = Chores(launch, url, lambda snapshot: stores.write_figures(run_dir / "metrics", snapshot), _log.warning)
    accounts = AccountChores(run_dir, url, turns, _log.warning)
    graves = Graves(run_dir / "leases", lambda: stores.open_leases(url, turns, charger), _log.warning)

    def between_rounds(ledger: Ledger, tail: SegmentTail) -> None:
        chores.between_rounds(ledger, tail)
        graves.between_rounds(ledger, tail)
        accounts.between_rounds()

    loader = Loader(lambda: stores.open_ledger(url, turns, charger), tail, _log.warning, between_rounds)
    chores.loader = loader
    node = node_of(run_dir)
    counter = Counter(run_dir, lambda: StoreTill(url, turns, charger, node), _log.warning)
    chores.counter = counter
    await counter.start()
    loader.start()
    telling = loop.create_task(chores.tell())
    try:
        await ended.wait()
    finally:
        loop.remove_reader(control)
        await counter.stop()
        chores.hasten()
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
