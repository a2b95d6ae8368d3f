"""A gateway whose words find no room: its output is a full disk from the first line on."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest
from tests.factories.rigs import rig

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]


def test_words_that_cannot_be_written_end_nothing(tmp_path: Path) -> None:
    """It comes up, tells readiness that its access log is not written, answers, and takes a new estate."""
    (tmp_path / "gateway.log").symlink_to("/dev/full")
    with rig(tmp_path, workers=2) as found:
        found.gateway.reload(found.gateway.estate.read_text())
        for _ in range(10):
            request = urllib.request.Request(
                f"{found.url}/v1/chat/completions",
                data=json.dumps({"model": "chat", "messages": [{"role": "user", "content": "hi"}]}).encode(),
                headers={"authorization": f"Bearer {found.key}", "content-type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=30) as answer:
                assert answer.status == 200
        assert found.gateway.process is not None
        assert found.gateway.process.poll() is None
        with urllib.request.urlopen(f"{found.url}/readyz", timeout=10) as answer:
            assert json.loads(answer.read())["workers"] == 2
