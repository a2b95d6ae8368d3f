"""Compiles the gateway's data path with mypyc, in a copy of the package: `make fast`, then `PYTHONPATH=out/fast`.

What was written in Python stays the authority and the default. The compiled modules never lie beside it: they would go
on serving after their sources had changed. Each copy carries the digest of the sources it was made from.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FAST = ROOT / "out" / "fast"
LIBRARY = ROOT / "tools" / "compile_library.py"
NO_PROFILE = 4
"""Its exit code where it had to do without a profile."""
COMPILED = (
    "adapters/board_mmap/board.py",
    "adapters/board_mmap/columns.py",
    "adapters/board_mmap/rates.py",
    "adapters/lease_sheet.py",
    "adapters/upstream_http/line.py",
    "adapters/upstream_http/plain.py",
    "adapters/upstream_http/pool.py",
    "apps/gateway/http/answering.py",
    "apps/gateway/http/bodies.py",
    "apps/gateway/http/connection.py",
    "apps/gateway/http/heads.py",
    "apps/gateway/http/intake.py",
    "apps/gateway/http/lobby.py",
    "apps/gateway/http/spout.py",
    "apps/gateway/worker/recorder.py",
    "apps/gateway/worker/seal.py",
    "engines/gateway/entry/admission.py",
    "engines/gateway/entry/ceiling.py",
    "engines/gateway/entry/keyring.py",
    "engines/gateway/entry/names.py",
    "engines/gateway/entry/quotas.py",
    "engines/gateway/entry/said.py",
    "engines/gateway/entry/sheet.py",
    "engines/gateway/exchange/core.py",
    "engines/gateway/exchange/course.py",
    "engines/gateway/exchange/effects.py",
    "engines/gateway/exchange/exchange.py",
    "engines/gateway/exchange/gateway.py",
    "engines/gateway/exchange/lanes.py",
    "engines/gateway/exchange/metering.py",
    "engines/gateway/exchange/recovery/verdict.py",
    "engines/gateway/exchange/relay.py",
    "engines/gateway/health/absence.py",
    "engines/gateway/health/board.py",
    "engines/gateway/health/breaker.py",
    "engines/gateway/health/latency.py",
    "engines/gateway/health/pace.py",
    "engines/gateway/health/retries.py",
    "engines/gateway/health/station.py",
    "engines/gateway/routing/fleet.py",
    "engines/gateway/routing/flow.py",
    "engines/gateway/routing/permit.py",
    "engines/gateway/routing/query.py",
    "engines/gateway/routing/router.py",
    "engines/gateway/routing/spill.py",
    "engines/gateway/routing/split.py",
    "engines/gateway/telemetry/counts/cells.py",
    "engines/gateway/telemetry/metrics.py",
    "engines/gateway/telemetry/trace.py",
    "engines/gateway/wire/ask.py",
    "engines/gateway/wire/events.py",
    "engines/gateway/wire/excision.py",
    "engines/gateway/wire/malformed.py",
    "engines/gateway/wire/output.py",
    "engines/gateway/wire/shapes/alike.py",
    "engines/gateway/wire/shapes/asked.py",
    "engines/gateway/wire/shapes/frames.py",
    "engines/gateway/wire/shapes/likeness.py",
    "engines/gateway/wire/shapes/plain.py",
    "engines/gateway/wire/shapes/tally.py",
    "engines/gateway/wire/sse.py",
    "engines/gateway/wire/usage.py",
    "engines/governance/budget/purse.py",
    "engines/stress/trial/places/answers.py",
)
"""Modules whose compiling pays: those every request or every event of a stream passes through.

None of them may declare a `msgspec.Struct` with unions: mypyc keeps of `int | None` only that it is a type, and what
reads by it then refuses every document. A class goes with those it derives from.
"""
DIGEST = "digest"
"""Name of the file that tells what a copy was made from."""
NO_COMPILER = 3
"""Exit code where the machine has no C compiler or no headers of Python."""


def main(arguments: Sequence[str]) -> int:
    """Makes the copy in the folder given, `out/fast` by default, unless it is up to date; returns the exit code."""
    folder = Path(arguments[0]).resolve() if arguments else FAST
    lacking = lacks()
    if lacking:
        print(lacking, file=sys.stderr)
        return NO_COMPILER
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = digest()
        if not is_made(folder, told) and not make(folder, told):
            return 1
    print(f"compiled: PYTHONPATH={os.path.relpath(folder)} before a command runs it, such as `tripoint serve`")
    return 0


def lacks() -> str:
    """What the machine lacks for compiling; empty when nothing."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"compiling the gateway needs a C compiler; `{compiler}` is not on the PATH"
    headers = Path(sysconfig.get_path("include")) / "Python.h"
    return "" if headers.is_file() else f"compiling the gateway needs the headers of Python; there is no {headers}"


def digest() -> str:
    """Digest of everything a copy is made from: sources, this list, Python and its compiler."""
    found = hashlib.sha256(sys.version.encode())
    for path in (Path(__file__), LIBRARY, ROOT / "requirements-dev.lock", *sorted(_package().rglob("*"))):
        if path.is_file() and "__pycache__" not in path.parts:
            found.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def is_made(folder: Path, told: str) -> bool:
    """True for a copy made from just these sources."""
    note = folder / DIGEST
    return note.is_file() and note.read_text() == told


def make(folder: Path, told: str) -> bool:
    """Copies, compiles and only then puts the copy in its place; False when the compilers had something to say."""
    staging = folder.with_name(f"{folder.name}.making")
    shutil.rmtree(staging, ignore_errors=True)
    shutil.copytree(_package(), staging / "tripoint", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, str(LIBRARY), *(f"tripoint/{name}" for name in COMPILED)]
    done = subprocess.run(command, cwd=staging, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode == NO_PROFILE:
        print("compiled without a profile: this compiler keeps none, or the gateway could not be run", file=sys.stderr)
    elif done.returncode:
        print(done.stdout, file=sys.stderr)
        return False
    for name in ("build", ".mypy_cache"):
        shutil.rmtree(staging / name, ignore_errors=True)
    (staging / DIGEST).write_text(told)
    shutil.rmtree(folder, ignore_errors=True)
    staging.rename(folder)
    return True


def _package() -> Path:
    return ROOT / "src" / "tripoint"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
