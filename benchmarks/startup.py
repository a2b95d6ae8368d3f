"""How long does a command take before it does anything, against an interpreter that does nothing?

The limit is `python -c pass`: no command in Python can be faster. All of them run in turn, with compiled bytecode
in a folder of our own, as on an ordinary installation.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence

from benchmarks.measure import ROOT, alternated, ratio, start, table

TEMPLATES = ROOT / "src" / "tripoint" / "templates"
TARGET_HELP_S = 0.25
MODULE = ("-m", "tripoint")


def commands() -> dict[str, tuple[str, ...]]:
    """What is timed, by the name it is printed under; the limit comes first."""
    checks = {f"tripoint check {name.name}": (*MODULE, "check", str(name)) for name in sorted(TEMPLATES.iterdir())}
    return {
        "python -c pass": ("-c", "pass"),
        "tripoint --help": (*MODULE, "--help"),
        "tripoint plan --help": (*MODULE, "plan", "--help"),
        **checks,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Time every command and print each against the limit."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.startup")
    parser.add_argument("--repeat", type=int, default=15, help="runs of each command")
    options = parser.parse_args(arguments)
    start("Start-up")
    with tempfile.TemporaryDirectory() as folder:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = folder
        runs = [_run(words, environment) for words in commands().values()]
        alternated(runs, 1)  # writes the bytecode
        times = alternated(runs, options.repeat)
    limit = times[0].median
    targets = {"tripoint --help": f"{TARGET_HELP_S:g} s"}
    table(
        ("command", "median (spread)", "of the limit", "target"),
        [
            (f"`{name}`", str(found), ratio(found.median, limit), targets.get(name, ""))
            for name, found in zip(commands(), times, strict=True)
        ],
    )


def _run(words: Sequence[str], environment: Mapping[str, str]) -> Callable[[], object]:
    def run() -> object:
        return subprocess.run([sys.executable, *words], env=environment, cwd=ROOT, capture_output=True, check=True)

    return run


if __name__ == "__main__":
    main()
