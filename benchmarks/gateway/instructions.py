"""Instructions a request and a streamed event take, without the kernel: `python -m benchmarks.gateway.instructions`.

Counted by valgrind, so that it does not matter what else the machine does: for telling whether a change brought
anything where times cannot tell. The difference between a long and a short run, so that starting does not count.
With `PYTHONPATH=out/fast` it counts the compiled data path.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from math import inf
from pathlib import Path

from benchmarks.gateway.parts import Bench, answer, event
from benchmarks.measure import start, table
from tripoint.apps.gateway.worker.recorder import Recorder

_RUNS = {"a whole request": (200, 2_200), "an event of a stream": (500, 4_500)}
"""Items of the short and of the long run."""
_COLLECTED = re.compile(r"Collected : (\d+)")


async def _requests(count: int) -> None:
    """So many requests of differing length, one after the other, counted and recorded as a worker does."""
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder), "", worker=0, incarnation="bench")
        bench = Bench(recorder.record)
        recorder.learn(bench.table)
        bench.gateway.router._look_at = inf  # looks come by the clock, not by requests: under valgrind far too many
        body = answer()
        reply = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        asked = [bench.request(600 + more) for more in range(16)]
        _settle()
        for number in range(count):
            bench.ask(asked[number % len(asked)]).data_received(reply)
        recorder.close()


async def _events(count: int) -> None:
    """So many events of one stream."""
    bench = Bench(lambda record: None)
    line = bench.ask(bench.request(is_stream=True))
    piece = event(" tok7")
    chunk = b"%x\r\n%b\r\n" % (len(piece), piece)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    line.data_received(head + chunk)
    _settle()
    for _ in range(count):
        line.data_received(chunk)


def _settle() -> None:
    """The collector as a worker has it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)


def _count(kind: str, items: int) -> int:
    """Instructions of a whole run."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-m", __spec__.name]
    done = subprocess.run([*command, "--run", kind, str(items)], capture_output=True, text=True, check=True)
    found = _COLLECTED.search(done.stderr)
    assert found, done.stderr[-1000:]
    return int(found[1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.gateway.instructions")
    parser.add_argument("--run", nargs=2, metavar=("KIND", "ITEMS"), help="only run so many; what valgrind watches")
    options = parser.parse_args(arguments)
    if options.run:
        kind, items = options.run
        asyncio.run(_events(int(items)) if "event" in kind else _requests(int(items)))
        return
    start("Instructions of the gateway, without the kernel")
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed")
    rows = []
    for kind, (few, many) in _RUNS.items():
        _count(kind, 1)  # whatever is compiled to bytecode at first
        rows.append((kind, f"{(_count(kind, many) - _count(kind, few)) / (many - few):,.0f}"))
    table(("part", "instructions"), rows)


if __name__ == "__main__":
    main()
