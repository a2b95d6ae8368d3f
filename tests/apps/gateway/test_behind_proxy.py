"""`tripoint serve` behind a proxy on this machine, with the names of one of OpenTelemetry's conventions."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from tests.factories.rigs import Rig, rig

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Its proxy is where we are."""
    folder = tmp_path_factory.mktemp("proxied")
    flags = (
        "--trusted-proxy",
        "127.0.0.0/8",
        "--otel-convention",
        "1.36.0",
        "--access-log",
        str(folder / "access.log"),
    )
    with rig(folder, upstreams={"dense-1": {}}, flags=flags) as found:
        yield found


def got(found: Rig, path: str, *, key: str = "", body: bytes | None = None) -> tuple[int, str]:
    """Status and body."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(found.url + path, body, {**headers, "content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()


def test_what_comes_through_the_proxy_is_not_this_machine(running: Rig) -> None:
    """Metrics and the state of the gateway are for holders of a key then, wherever the proxy is."""
    assert got(running, "/metrics")[0] == 401
    assert got(running, "/metrics", key=running.key)[0] == 200
    assert "estate" not in json.loads(got(running, "/readyz")[1])
    assert "estate" in json.loads(got(running, "/readyz", key=running.key)[1])


def test_access_lines_and_metrics_follow_the_convention(running: Rig) -> None:
    """Names of 1.36.0, which later versions renamed."""
    body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "hi"}]}).encode()
    assert got(running, "/v1/chat/completions", key=running.key, body=body)[0] == 200
    log, until = running.gateway.folder / "access.log", time.monotonic() + 20
    while not (log.exists() and log.read_bytes().endswith(b"\n")):
        assert time.monotonic() < until, "no line came"
        time.sleep(0.02)
    line = json.loads(log.read_bytes().splitlines()[0])
    assert line["gen_ai.operation.name"] == "chat"
    assert line["gen_ai.request.model"] == "chat"
    assert "gen_ai_system" in got(running, "/metrics", key=running.key)[1]
