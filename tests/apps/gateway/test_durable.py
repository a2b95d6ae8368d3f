"""`tripoint serve --durable`: what a caller was told has ended is on disk, whatever dies next."""

from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.factories.rigs import Rig, rig

from tripoint.apps.wiring import usage_records

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Rig]:
    """A durable gateway of two workers."""
    with rig(tmp_path, workers=2, flags=("--durable",)) as found:
        yield found


def asked(found: Rig, *, stream: bool = False) -> tuple[int, bytes, str]:
    """Status, body and request id of one chat."""
    body: dict[str, Any] = {"model": "chat", "messages": [{"role": "user", "content": "hi"}], "stream": stream}
    request = urllib.request.Request(
        f"{found.url}/v1/chat/completions",
        data=json.dumps({**body, "max_tokens": 4}).encode(),
        headers={"authorization": f"Bearer {found.key}", "content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status), answer.read(), str(answer.headers["x-request-id"])
    except urllib.error.HTTPError as error:
        return error.code, error.read(), str(error.headers["x-request-id"])


def degraded(found: Rig, asks: int = 40) -> set[str]:
    """Parts that any of the workers says do not work: each answers for itself, and chance says which one is asked."""
    said: set[str] = set()
    for _ in range(asks):
        with urllib.request.urlopen(f"{found.url}/readyz", timeout=10) as answer:
            said |= set(json.loads(answer.read())["degraded"])
    return said


def test_what_was_answered_survives_a_kill(running: Rig) -> None:
    """Every process is killed the moment the last answer is there: no record of an answer is missing, none doubled."""
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda number: asked(running, stream=bool(number % 2)), range(60)))
    for pid in running.gateway.pids():
        os.kill(pid, signal.SIGKILL)
    assert all(status == 200 for status, _, _ in answers)
    assert all(b"[DONE]" in body for _, body, _ in answers[1::2])
    kept = [each.id for each in usage_records(running.gateway.run_folder)]
    told = {request_id for _, _, request_id in answers}
    assert len(kept) == len(set(kept))
    assert told <= set(kept)


def test_a_disk_that_takes_nothing_lets_no_answer_end_well(running: Rig) -> None:
    """Callers are told within seconds, readiness says what is wrong; when the disk is back, so is the service."""
    assert asked(running)[0] == 200
    running.gateway.limit_files(0)
    try:
        status, body, _ = asked(running)
        assert (status, json.loads(body)["error"]["code"]) == (503, "usage_not_recorded")
        status, body, _ = asked(running, stream=True)
        assert b"usage_not_recorded" in body
        assert b"[DONE]" not in body
        assert "usage_records" in degraded(running)
    finally:
        running.gateway.limit_files(-1)
    for _ in range(20):
        if asked(running)[0] == 200:
            break
    assert asked(running)[0] == 200
