"""Real model servers: they start, answer in every interface, agree with each other, and go when they should."""

from __future__ import annotations

import http.client
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tripoint.adapters.local_models import ModelServer, chat_model, embedding_model
from tripoint.domain.errors import PlatformError

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]


def ask(port: int, path: str, body: dict[str, Any] | None = None) -> Any:
    """The JSON (or text) of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        if body is None:
            connection.request("GET", path)
        else:
            connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200, text
        return json.loads(text) if answer.getheader("content-type", "").startswith("application/json") else text
    finally:
        connection.close()


def chat(port: int, text: str, **extra: Any) -> str:
    """The text of a chat answer."""
    messages = [{"role": "user", "content": text}]
    found = ask(port, "/v1/chat/completions", {"messages": messages, "max_tokens": 60, "temperature": 0, **extra})
    return str(found["choices"][0]["message"]["content"])


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ModelServer, ModelServer]]:
    """Two servers of one chat model."""
    folder = tmp_path_factory.mktemp("servers")
    model = chat_model(folder, "pocket")
    servers = tuple(ModelServer(model, "pocket", is_embedding=False, log=folder / "log") for _ in range(2))
    try:
        for server in servers:
            server.begin()
        for server in servers:
            server.wait_ready()
        yield servers[0], servers[1]
    finally:
        for server in servers:
            server.stop()


def test_answers_are_readable_and_the_same_on_both(pair: tuple[ModelServer, ModelServer]) -> None:
    """Greedy answers agree word for word, under load too, and are sentences of words."""
    questions = [f"Question {number} about the cloud" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        first, second = (list(pool.map(lambda text, port=s.port: chat(port, text), questions)) for s in pair)
    assert first == second
    assert len(set(first)) > 3
    assert all(character.isalpha() or character in " ." for answer in first for character in answer)
    assert all(answer.strip()[0].isupper() for answer in first)


def test_every_interface_answers(pair: tuple[ModelServer, ModelServer]) -> None:
    """Chat, completions, responses and messages, with usage; and the names the gateway asks for."""
    port = pair[0].port
    assert ask(port, "/v1/completions", {"prompt": "The site", "max_tokens": 5})["usage"]["completion_tokens"] == 5
    assert ask(port, "/v1/responses", {"input": "hi", "max_output_tokens": 5})["usage"]["output_tokens"] == 5
    messages = {"model": "pocket", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
    assert ask(port, "/v1/messages", messages)["usage"]["output_tokens"] == 5
    stream = ask(port, "/v1/chat/completions", {"messages": messages["messages"], "max_tokens": 5, "stream": True})
    assert stream.rstrip().endswith("data: [DONE]")
    assert [each["id"] for each in ask(port, "/v1/models")["data"]] == ["pocket"]
    assert "llamacpp:requests_processing" in ask(port, "/metrics")


def test_a_killed_server_comes_back_on_its_port(tmp_path: Path) -> None:
    """After a kill nothing listens; after a new start the same address answers."""
    server = ModelServer(chat_model(tmp_path, "pocket"), "pocket", is_embedding=False, log=tmp_path / "log")
    try:
        server.begin()
        server.wait_ready()
        port, before = server.port, chat(server.port, "hello")
        server.kill()
        assert not server.is_running()
        with pytest.raises(ConnectionRefusedError):
            ask(port, "/health")
        server.begin()
        server.wait_ready()
        assert server.port == port
        assert chat(port, "hello") == before
    finally:
        server.stop()
    assert server.pid == 0


def test_a_server_that_cannot_start_names_its_log(tmp_path: Path) -> None:
    """A file that is no model ends the process; the error leads to why."""
    (tmp_path / "broken.gguf").write_bytes(b"GGUF but no more")
    server = ModelServer(tmp_path / "broken.gguf", "broken", is_embedding=False, log=tmp_path / "log")
    server.begin()
    with pytest.raises(PlatformError, match="broken") as raised:
        server.wait_ready()
    assert str(tmp_path / "log") in raised.value.hint
    assert server.pid == 0


def test_a_server_goes_with_its_parent(tmp_path: Path) -> None:
    """Killed without a chance to clean up, a parent takes its server along."""
    script = (
        "import sys, time; from pathlib import Path\n"
        "from tripoint.adapters.local_models import ModelServer, chat_model\n"
        "folder = Path(sys.argv[1])\n"
        "server = ModelServer(chat_model(folder, 'x'), 'x', is_embedding=False, log=folder / 'log')\n"
        "server.begin(); server.wait_ready(); print(server.pid, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            child = int(parent.stdout.readline())
        finally:
            parent.kill()
    gone = threading.Event()
    until = time.monotonic() + 10
    while time.monotonic() < until and not gone.wait(0.05):
        if not is_alive(child):
            gone.set()
    assert gone.is_set()


def is_alive(pid: int) -> bool:
    """Whether a process runs (one that ended and waits for its parent does not)."""
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_related_sentences_are_nearer_than_unrelated_ones(tmp_path: Path) -> None:
    """The embeddings are MiniLM's: meaning decides, not words in common; the converted file is kept and checked."""
    path = embedding_model(tmp_path)
    kept = path.stat().st_mtime_ns
    assert embedding_model(tmp_path).stat().st_mtime_ns == kept
    server = ModelServer(path, "minilm", is_embedding=True, log=tmp_path / "log")
    pairs = [
        ("A dog chases a ball.", "The puppy runs after a toy.", "Quarterly revenue fell by three percent."),
        ("How do I reset my password?", "I forgot my login credentials.", "The bank of the river was flooded."),
        ("The server ran out of memory.", "RAM was exhausted on the machine.", "She baked bread in the morning."),
    ]
    try:
        server.begin()
        server.wait_ready()
        for sentences in pairs:
            found = ask(server.port, "/v1/embeddings", {"input": list(sentences), "model": "minilm"})
            one, near, far = (each["embedding"] for each in found["data"])
            assert len(one) == 384
            assert math.hypot(*one) == pytest.approx(1.0, abs=1e-3)
            assert dot(one, near) > 0.4 > 0.2 > dot(one, far)
    finally:
        server.stop()
    damaged = path.read_bytes()[:-1000]
    path.write_bytes(damaged)
    assert embedding_model(tmp_path).stat().st_size == len(damaged) + 1000


def dot(one: list[float], other: list[float]) -> float:
    """Cosine of two vectors of length 1."""
    return sum(a * b for a, b in zip(one, other, strict=True))
