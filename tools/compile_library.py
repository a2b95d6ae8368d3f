"""Compiles modules of the package in the present folder with mypyc, twice: the second time by what was run the first.

A part of `tools/compile_gateway.py`, in a process of its own: `python tools/compile_library.py MODULE...`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mypyc.build import mypycify
from setuptools import Extension, setup  # type: ignore[import-untyped]  # it tells no types

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = ("--config-file=", "--ignore-missing-imports")
TRAINING = (
    ("a whole request", 6_400),
    ("one with accounts", 6_400),
    ("an event of a stream", 20_000),
    ("a request of 300 kB", 400),
)
"""What the profile is taken of, as `benchmarks.gateway.instructions` knows it, and how many of each."""
PACKED = ("-fno-align-functions", "-fno-align-jumps", "-fno-align-loops", "-fno-align-labels")
"""Nothing is moved to begin on an even address: a request runs through most of its code once, so fewer lines pay."""
PLAIN = ("-O2", *PACKED, "-fvisibility=hidden", "-fno-plt")
"""One library calls itself: where nobody outside may stand in for its functions, calls need no table of addresses."""
COUNTING = (*PLAIN, "-fprofile-generate", "-fprofile-update=single")
"""Optimised as below: counts belong to places in code that was simplified in the same way."""
TRAINED = (*PLAIN, "-fprofile-use", "-fprofile-correction", "-freorder-blocks-and-partition", "-freorder-functions")
NO_PROFILE = 4
"""Exit code where it was compiled, but only as GCC would without having seen it run."""


def main(names: Sequence[str]) -> int:
    """Compiles the modules; returns the exit code."""
    shims: list[Extension] = []
    library: list[Extension] = []
    for each in mypycify([*OPTIONS, *names], debug_level="0"):
        (library if each.name.endswith("__mypyc") else shims).append(each)
    build(shims, PLAIN)  # each only names a module of the library
    if can_build(library, COUNTING) and is_trained() and can_build(library, TRAINED):
        return 0
    build(library, PLAIN)
    return NO_PROFILE


def is_trained() -> bool:
    """Runs what the gateway mostly does on the library that counts; False where that has left nothing to go by."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((os.getcwd(), str(ROOT)))}
    for kind, items in TRAINING:
        command = [sys.executable, "-m", "benchmarks.gateway.instructions", "--run", kind, str(items)]
        if subprocess.run(command, env=environment).returncode:
            return False
    return any(Path("build").rglob("*.gcda"))


def can_build(extensions: Sequence[Extension], flags: Sequence[str]) -> bool:
    """Builds libraries where the compiler knows these flags: not all that compile can count."""
    try:
        build(extensions, flags)
    except SystemExit:
        return False
    return True


def build(extensions: Sequence[Extension], flags: Sequence[str]) -> None:
    """Builds libraries in place with these flags beside the usual ones; ends the process where that fails."""
    for each in extensions:
        usual = [flag for flag in each.extra_compile_args if not flag.startswith(("-O", "-f", "-Werror"))]
        each.extra_compile_args = [*usual, *flags]
        each.extra_link_args = list(flags)
    arguments = ["--quiet", "build_ext", "--inplace", "--force", f"--parallel={os.cpu_count() or 1}"]
    setup(name="tripoint-fast", ext_modules=list(extensions), script_args=arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
