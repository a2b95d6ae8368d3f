"""What a running gateway tells: its page passes promtool, and page, log and records tell the same story."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import missing_component
from tests.factories.metrics_page import total_of
from tests.factories.rigs import Rig, rig

from tripoint.adapters.segment_read import SegmentDamage, read_segments
from tripoint.domain.record import UsageRecord

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

TRACE = "0af7651916cd43dd8448eb211c80319c"
PROMPT = "a prompt nobody may ever read in a log"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Two workers before two servers, after a few requests of every kind."""
    folder = tmp_path_factory.mktemp("telemetry")
    keys = [{"id": "verify", "secret": "env:TRIPOINT_VERIFY_KEY", "tenant": "team-a"}]
    flags = ("--access-log", str(folder / "access.log"))
    with rig(folder, workers=2, serving_section={"keys": keys}, flags=flags) as found:
        for number in range(20):
            assert ask(found, stream=number % 4 == 0)[0] == 200
        assert ask(found, model="evil model")[0] == 404
        assert ask(found, key="wrong")[0] == 401
        yield found


def ask(found: Rig, *, model: str = "chat", stream: bool = False, key: str = "") -> tuple[int, bytes]:
    """Status and body of a chat; every request on a connection of its own, so that both workers get some."""
    body: dict[str, Any] = {"model": model, "max_tokens": 4, "messages": [{"role": "user", "content": PROMPT}]}
    request = urllib.request.Request(
        f"{found.url}/v1/chat/completions",
        json.dumps({**body, "stream": stream}).encode(),
        {
            "authorization": f"Bearer {key or found.key}",
            "content-type": "application/json",
            "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read()


def page_of(found: Rig, requests: int) -> str:
    """The metrics page, once it counts so many requests: other workers' counts may be a second old."""
    while True:
        with urllib.request.urlopen(f"{found.url}/metrics", timeout=20) as answer:
            assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
            page: str = answer.read().decode()
        if total_of(page, "tripoint_requests_total") >= requests:
            return page
        time.sleep(0.05)


def records_of(found: Rig, count: int) -> list[UsageRecord]:
    """The usage records on disk, once there are so many: they are durable some milliseconds after the answer."""
    while True:
        read = list(read_segments(found.gateway.run_folder / "usage"))
        whole = [each for each in read if not isinstance(each, SegmentDamage)]
        if len(whole) >= count:
            return whole
        time.sleep(0.02)


def test_the_page_passes_promtool_and_counts_every_request(running: Rig) -> None:
    """All workers on one page: endings, tenants, tokens and money; no label is a caller's word."""
    promtool = shutil.which("promtool")
    if promtool is None:
        missing_component("promtool is not on the PATH")
    page = page_of(running, 22)
    run = subprocess.run([str(promtool), "check", "metrics"], input=page.encode(), capture_output=True, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
    assert total_of(page, "tripoint_requests_total") == 22
    assert total_of(page, "tripoint_requests_total", ending="ok", tenant="team-a", workload="chat", status="2xx") == 20
    assert total_of(page, "tripoint_requests_total", ending="refused", status="4xx") == 2
    assert total_of(page, "tripoint_attempts_total", failure="none") == 20
    assert total_of(page, "tripoint_output_tokens_total") == 20 * 4
    assert total_of(page, "tripoint_cost_usd_total") > 0
    assert total_of(page, "tripoint_workers") == 2
    assert total_of(page, "tripoint_build_info") == 1
    assert total_of(page, "tripoint_degraded") == 0
    assert total_of(page, "tripoint_upstream_breaker_state", state="closed") == 2
    assert total_of(page, "gen_ai_server_request_duration_seconds_count", gen_ai_request_model="chat") == 20
    assert "evil" not in page
    assert PROMPT not in page


def test_records_and_page_agree_to_the_last_token_and_cent(running: Rig) -> None:
    """What is billed and what is shown are the same figures; the caller's trace is in every record."""
    page = page_of(running, 22)
    records = records_of(running, 22)
    assert len({each.id for each in records}) == len(records) == 22
    assert sum(each.usage.tokens_in for each in records) == total_of(page, "tripoint_input_tokens_total")
    assert sum(each.usage.tokens_out for each in records) == total_of(page, "tripoint_output_tokens_total")
    assert abs(sum(each.nano for each in records) / 1e9 - total_of(page, "tripoint_cost_usd_total")) < 1e-12
    assert {each.trace_id for each in records if each.ending == "ok"} == {TRACE}


def test_the_access_log_tells_each_request_once_and_no_text(running: Rig) -> None:
    """One line a record, by id; neither prompt nor key in any file the gateway writes."""
    ids = {each.id for each in records_of(running, 22)}
    log = running.gateway.folder / "access.log"
    while len(lines := log.read_text(encoding="ascii").splitlines()) < 22:
        time.sleep(0.02)
    told = [json.loads(line) for line in lines]
    assert {each["id"] for each in told} == ids
    assert sum(each["stream"] for each in told) == 5
    for name, content in [*running.gateway.written(), (log.name, log.read_bytes())]:
        assert PROMPT.encode() not in content, name
        assert running.key.encode() not in content, name


def test_upstreams_see_the_callers_trace_with_a_parent_of_ours(running: Rig) -> None:
    """Same trace id, another span, and each request another one."""
    seen = [each.headers.get("traceparent", "") for server in running.servers.values() for each in server.seen]
    asked = [each for each in seen if each.startswith(f"00-{TRACE}-")]
    assert len(asked) == len(set(asked)) >= 20
    assert not [each for each in asked if "b7ad6b7169203331" in each]
