"""Trials on a real Ray cluster of two nodes, one of which is killed: the same answer as here."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.factories.ray_cluster import COUNT, KILL_AFTER
from tests.factories.trials import Line, orders

from tripoint.adapters.trials_ray import RayTrials
from tripoint.domain.errors import MissingExtraError
from tripoint.domain.stress import Trial

ROOT = Path(__file__).resolve().parents[2]
LONG_S = 400
"""Generous bound on a cluster's life on a busy machine, s."""
OWN_NETWORK = ("unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
"""Ray listens on the machine's own address; in a network of its own that is loopback."""


def is_walled() -> bool:
    """True where a program may have a network of its own."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    return subprocess.run([*OWN_NETWORK, "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def found() -> Iterator[dict[str, Any]]:
    """What the program of the cluster leaves; its folders have short names, which Ray's sockets need."""
    if importlib.util.find_spec("ray") is None:
        assert os.environ.get("CI") != "true", "Ray is missing: install the extra `ray`"
        pytest.skip("the extra `ray` is not installed")
    with tempfile.TemporaryDirectory(prefix="tp-ray-", ignore_cleanup_errors=True) as name:
        folder = Path(name) / "found"
        folder.mkdir()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_TMPDIR": name, "RAY_USAGE_STATS_ENABLED": "0"}
        environment.pop("RAY_ADDRESS", None)
        program = [sys.executable, "-m", "tests.factories.ray_cluster", str(folder)]
        command = [*OWN_NETWORK, *program] if is_walled() else program
        run = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONG_S, check=False
        )
        assert run.returncode == 0, run.stderr[-4000:]
        yield json.loads((folder / "found.json").read_text())


def trials_in(rows: list[Any]) -> list[Trial]:
    """Trials as they were written."""
    return [msgspec.convert(row, Trial) for row in rows]


@pytest.mark.slow
@pytest.mark.timeout(LONG_S + 60)
class TestOnACluster:
    """One cluster for all of them: starting it takes ten seconds."""

    def test_a_node_that_is_killed_costs_no_trial(self, found: dict[str, Any]) -> None:
        """Both nodes took part, one was gone after the fortieth trial, and every trial is as it is here."""
        assert found["nodes"] == 2
        assert found["seen"] == list(range(COUNT + 1))
        assert KILL_AFTER < COUNT // 2
        assert trials_in(found["trials"]) == [Line()(order) for order in orders(COUNT)]

    def test_the_command_finds_there_what_it_finds_here(self, found: dict[str, Any]) -> None:
        """The same seed, the same report, to the last figure."""
        there, here = found["reports"]
        assert json.loads(there)["report"]["played"] >= 12
        assert there == here

    def test_a_worker_that_is_killed_costs_no_trial(self, found: dict[str, Any]) -> None:
        """Its trial is played by another."""
        assert trials_in(found["after a death"]) == [Line()(order) for order in orders(4)]

    def test_a_trial_that_ends_every_worker_is_told(self, found: dict[str, Any]) -> None:
        """After three of them."""
        assert found["deadly"].startswith("PlatformError: trial `burst#3?times=1.5` was lost with 3 workers")

    def test_errors_come_back(self, found: dict[str, Any]) -> None:
        """An error of ours as it is, a bug with the name of its trial."""
        assert found["refused"] == "OptionError: no such place (name another)"
        assert found["bug"].startswith("InternalError: trial `burst#0?times=1.5` failed: ZeroDivisionError: a bug")

    def test_without_a_cluster_it_is_told_how_to_start_one(self, found: dict[str, Any]) -> None:
        """With the address that was tried."""
        assert found["alone"].startswith("PlatformError: no Ray cluster answers at `auto`")
        assert "ray start --head" in found["alone"]


def test_without_the_extra_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint names it."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError) as missing:
        RayTrials()
    assert missing.value.hint == "pip install 'tripoint[ray]'"
