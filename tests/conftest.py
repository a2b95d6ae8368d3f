"""What every test may ask for: the repository's root, real traces when they are at hand, and golden files."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.factories.postgres import Server

ROOT = Path(__file__).resolve().parent.parent
GOLDENS = ROOT / "tests" / "goldens"

# At a desk fewer examples, drawn anew each time; CI draws Hypothesis' usual hundred, the same ones each time.
settings.register_profile("tripoint", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
settings.register_profile("ci", settings.get_profile("tripoint"), max_examples=100, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "tripoint")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--slow` and `--update-goldens`."""
    parser.addoption("--slow", action="store_true", help="run tests marked slow as well (CI always does)")
    parser.addoption("--update-goldens", action="store_true", help="write golden files instead of comparing")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves slow tests out unless asked for."""
    if config.getoption("--slow") or os.environ.get("CI"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow; runs with --slow and in CI"))


def missing_component(reason: str) -> None:
    """Skips for want of a component of the machine; under `CI=true`, where all are installed, fails instead."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; CI must have it", pytrace=False)
    pytest.skip(reason)


def pytest_configure(config: pytest.Config) -> None:
    """In CI the extras are all locked and installed; a test module that would skip for want of one must not hide."""
    del config
    absent = [name for name in ("duckdb",) if importlib.util.find_spec(name) is None]
    if os.environ.get("CI") == "true" and absent:
        raise pytest.UsageError(f"not installed, and CI must have it: {', '.join(absent)}")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the developer's own settings, colours and width of terminal out of every test."""
    for name in list(os.environ):
        if name.startswith("TRIPOINT_") or name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """Root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real traces beside the repository; skips where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real traces are not beside this clone")
    return folder


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden(name, text)` compares with `tests/goldens/<name>`; `--update-goldens` writes it instead."""

    def compare(name: str, text: str) -> None:
        path = GOLDENS / name
        if request.config.getoption("--update-goldens"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        assert path.is_file(), f"no golden `{name}`; `make goldens` writes it"
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture(scope="session")
def postgres_running() -> Iterator[Server]:
    """A real PostgreSQL server for the tests of this process."""
    from tests.factories.postgres import postgres_server

    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_running: Server) -> str:
    """A fresh database on it."""
    return postgres_running.make("test")
