"""The compiled gateway behaves as what it was compiled from: the same tests, and a request through it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest
from tests.conftest import missing_component
from tests.factories.rigs import rig
from tools.compile_gateway import COMPILED, FAST, NO_COMPILER

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    *(f"tests/engines/gateway/{room}" for room in ("entry", "exchange", "health", "routing", "wire")),
    "tests/adapters/upstream_http",
    "tests/apps/gateway/http",
)
PATCHES = "tests/apps/gateway/http/test_connection.py::test_a_mistake_of_ours_is_ours_to_tell"
"""Puts a function of its own in place of a method, which compiled objects do not let happen."""


@pytest.fixture(scope="module")
def compiled() -> Path:
    """Folder of the compiled package, made anew where sources have changed."""
    made = subprocess.run([sys.executable, ROOT / "tools" / "compile_gateway.py"], capture_output=True, text=True)
    if made.returncode == NO_COMPILER:
        missing_component(made.stderr.strip())
    assert made.returncode == 0, made.stderr
    return FAST


def test_the_machines_pass_their_tests_compiled(compiled: Path) -> None:
    """Every listed module is the compiled one there, and none of the tests of its room can tell."""
    names = [f"tripoint.{name.removesuffix('.py').replace('/', '.')}" for name in COMPILED]
    code = f"from importlib import import_module as found; print(*[found(name).__file__ for name in {names}])"
    # Not as in CI, where this would run what is slow of them once more.
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | {"PYTHONPATH": str(compiled)}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    files = [Path(each) for each in told.stdout.split()]
    assert len(files) == len(COMPILED)
    assert {path.suffix for path in files} == {".so"}
    assert all(path.is_relative_to(compiled) for path in files)
    tests = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--deselect", PATCHES, *ROOMS]
    done = subprocess.run(tests, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.enable_socket
def test_a_request_goes_through_the_compiled_gateway(
    compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole answer and a stream, by workers that hold the compiled library; nothing of it lies among the sources."""
    monkeypatch.setenv("PYTHONPATH", str(compiled))
    with rig(tmp_path) as found:
        for is_stream in (False, True):
            connection = HTTPConnection("127.0.0.1", found.gateway.port, timeout=10)
            asked = {"model": "chat", "messages": [{"role": "user", "content": "Say some words."}], "stream": is_stream}
            headers = {"authorization": f"Bearer {found.key}", "content-type": "application/json"}
            connection.request("POST", "/v1/chat/completions", json.dumps(asked), headers)
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            assert answer.status == 200, body
            assert body.endswith(b"data: [DONE]\n\n") if is_stream else json.loads(body)["usage"]["completion_tokens"]
        mapped = [Path(f"/proc/{pid}/maps") for pid in found.gateway.pids()]
        if all(path.exists() for path in mapped):
            assert any(str(compiled) in path.read_text() for path in mapped)
    assert not list((ROOT / "src").rglob("*.so"))
