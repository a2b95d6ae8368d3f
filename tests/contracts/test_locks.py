"""The locks install the same bytes from any registry: hashes everywhere, addresses nowhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock")
PEER_LOCKS = (
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "benchmarks").glob("*.lock")),
    *sorted(path.name for path in ROOT.glob("requirements-validator*.lock")),
)
PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==\S+( ; .+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def pins_of(lock: str) -> dict[str, set[str]]:
    """Versions pinned by name."""
    pins: dict[str, set[str]] = {}
    for line in (ROOT / lock).read_text(encoding="utf-8").splitlines():
        if "==" in line:
            name, version = line.split(" ")[0].split("==")
            pins.setdefault(name, set()).add(version)
    return pins


def wanted_names() -> set[str]:
    """Names of the core, the `demand` extra and the build requirement in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["demand"],
        *project["build-system"]["requires"],
    ]
    return {re.split(r"[<>=!~\[ ;]", line)[0].lower() for line in wanted}


@pytest.mark.parametrize("lock", LOCKS + PEER_LOCKS)
def test_a_lock_holds_pins_and_hashes_only(lock: str) -> None:
    """No line is an address, a path or an option of an installer."""
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    assert lines
    assert [line for line in lines if not (PIN.match(line) or HASH.match(line))] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_covers_what_the_project_asks_for(lock: str) -> None:
    """Every direct dependency is pinned, the one that builds tripoint included."""
    assert wanted_names() <= set(pins_of(lock))


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_agree(lock: str) -> None:
    """What users run is what the tests run and the benchmarks measure."""
    core, other = pins_of("requirements.lock"), pins_of(lock)
    assert {name: versions for name, versions in core.items() if other.get(name) != versions} == {}


def test_the_core_stays_small() -> None:
    """At most ten direct dependencies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert len(project["project"]["dependencies"]) <= 10
