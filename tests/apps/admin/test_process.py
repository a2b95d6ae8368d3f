"""The interface as a process: how it starts, ends, is killed, and shares a store with others."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.apps.gateway.test_tls import Authority
from tests.factories.administering import AdminProcess, admin_process, populate, store_at

from tripoint.apps.admin.process import open_stores

pytestmark = pytest.mark.enable_socket
_WAIT_S = 30


def ask(process: AdminProcess, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, str]:
    """One request on a connection of its own: status, content, tag. Raises `OSError` when the process is gone."""
    parts = urlsplit(process.address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=_WAIT_S)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        raw = None if body is None else json.dumps(body)
        connection.request(method, path, raw, {"content-type": "application/json", **sent} if raw else sent)
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content else None, answer.headers.get("etag", "")
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()


def populated(url: str) -> str:
    """Fills a store and gives an admin's key."""
    stores = open_stores(url)
    try:
        return populate(stores)["admin"]
    finally:
        stores.close()


def test_it_begins_with_a_token_and_ends_in_order(tmp_path: Path) -> None:
    """`admin init` shows a token, the token makes one admin, SIGTERM ends with exit code 0."""
    url = store_at(tmp_path)
    command = [sys.executable, "-m", "tripoint.apps.cli", "admin", "init", "--store", url, "--json"]
    token = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["token"]
    with admin_process(url) as process:
        assert ask(process, "GET", "/v1/me")[0] == 401
        first = ask(process, "POST", "/v1/first-admin", {"token": token, "principal": "ada"})
        assert first[0] == 201
        key = first[1]["secret"]
        assert ask(process, "GET", "/v1/me", authorization=f"Bearer {key}")[1]["id"] == "ada"
        again = ask(process, "POST", "/v1/first-admin", {"token": token, "principal": "eve"})
        assert again[0] in (401, 409)
        process.process.send_signal(signal.SIGTERM)
        assert process.process.wait(_WAIT_S) == 0


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def test_nothing_acknowledged_is_lost_when_it_is_killed(
    store: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill -9 again and again while tenants are created: every 201 is there, and a repetition makes none twice."""
    if store == "postgres":
        monkeypatch.setenv("TRIPOINT_PEPPER_FILE", str(tmp_path / "pepper"))
        monkeypatch.setenv("TRIPOINT_AUDIT_KEY_FILE", str(tmp_path / "audit-key"))
        url = request.getfixturevalue("postgres_url")
    else:
        url = store_at(tmp_path)
    key = populated(url)
    acknowledged: list[str] = []
    unsure: list[str] = []
    for round_ in range(3):
        with admin_process(url) as process:
            killer = threading.Timer(0.3 + 0.15 * round_, process.kill)
            killer.start()
            for number in range(10_000):
                name = f"t-{round_}-{number}"
                try:
                    headers = {"authorization": f"Bearer {key}", "idempotency_key": name}
                    status, _, _ = ask(process, "POST", "/v1/tenants", {"id": name}, **headers)
                except OSError:
                    unsure.append(name)
                    break
                assert status == 201
                acknowledged.append(name)
            killer.join()
    assert acknowledged
    with admin_process(url) as process:
        for name in unsure:  # whoever got no answer asks again with the same key
            headers = {"authorization": f"Bearer {key}", "idempotency_key": name}
            assert ask(process, "POST", "/v1/tenants", {"id": name}, **headers)[0] == 201
        stores = open_stores(url)
        with stores.accounts.read() as book:
            entries = [each.subject for each in book.entries() if each.action == "tenant.create"]
        stores.close()
        assert sorted(entries) == sorted([*acknowledged, *unsure, "acme", "globex"])
        found = ask(process, "GET", "/v1/audit/verification", authorization=f"Bearer {key}")[1]
        assert found["is_good"] is True


def test_two_processes_lose_no_update_between_them(tmp_path: Path) -> None:
    """Both read a version and rename at once, many times: each success is seen by the next reader, none is undone."""
    url = store_at(tmp_path)
    key = populated(url)
    taken: list[tuple[str, str]] = []
    with admin_process(url) as one, admin_process(url) as other:

        def rename(process: AdminProcess, mark: str) -> None:
            for number in range(15):
                tag = ask(process, "GET", "/v1/tenants/acme", authorization=f"Bearer {key}")[2]
                body = {"name": f"{mark}{number}"}
                headers = {"authorization": f"Bearer {key}", "if_match": tag}
                status, content, _ = ask(process, "PUT", "/v1/tenants/acme/name", body, **headers)
                assert status in (200, 412), content
                if status == 200:
                    taken.append((tag, content["name"]))

        threads = [threading.Thread(target=rename, args=each) for each in ((one, "a"), (other, "b"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert taken
    assert len({tag for tag, _ in taken}) == len(taken)  # no version was replaced twice


def test_a_public_address_is_refused_without_certificate_and_principal(tmp_path: Path) -> None:
    """Both are named when both are missing, and one when one is; exit code 2."""
    url = store_at(tmp_path)
    command = [sys.executable, "-m", "tripoint.apps.cli", "admin", "serve", "--store", url, "--host", "0.0.0.0"]
    bare = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_WAIT_S)
    assert bare.returncode == 2
    assert "no certificate" in bare.stderr
    assert "no principal" in bare.stderr
    populated(url)
    known = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_WAIT_S)
    assert known.returncode == 2
    assert "no certificate" in known.stderr
    assert "no principal" not in known.stderr


@pytest.mark.slow
def test_over_tls_it_is_who_its_certificate_says(tmp_path: Path) -> None:
    """TLS 1.2 at least, with HSTS; whoever does not trust its authority does not get through."""
    url = store_at(tmp_path)
    key = populated(url)
    authority = Authority(tmp_path, "trusted")
    certificate, private = authority.sign("admin")
    flags = ("--tls-cert", str(certificate), "--tls-key", str(private))
    with admin_process(url, *flags) as process:
        port = urlsplit(process.address).port
        assert process.address.startswith("https://")
        trusting = ssl.create_default_context(cafile=str(authority.certificate))
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=_WAIT_S, context=trusting)
        connection.request("GET", "/v1/me", headers={"authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["id"]) == (200, "admin")
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        connection.close()
        doubting = http.client.HTTPSConnection("127.0.0.1", port, timeout=_WAIT_S, context=ssl.create_default_context())
        with pytest.raises(ssl.SSLCertVerificationError):
            doubting.request("GET", "/v1/me")


def test_the_log_is_lines_of_json_without_secrets(tmp_path: Path) -> None:
    """`--access-log FILE`: one line per request, and neither key nor address with its values in any."""
    url = store_at(tmp_path)
    key = populated(url)
    log = tmp_path / "access.log"
    with admin_process(url, "--access-log", str(log)) as process:
        ask(process, "GET", f"/v1/keys/{key}?x={key}", authorization=f"Bearer {key}")
        ask(process, "POST", "/v1/keys", {"name": key, "tenant": "acme"}, authorization=f"Bearer {key}")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["operation"] for line in lines] == ["showKey", "createKey"]
    assert key.split("_")[2] not in log.read_text()


def test_callers_that_say_nothing_do_not_keep_others_out(tmp_path: Path) -> None:
    """Hundreds of silent connections are dropped after a while; a caller gets its answer meanwhile."""
    url = store_at(tmp_path)
    key = populated(url)
    with admin_process(url) as process:
        parts = urlsplit(process.address)
        silent = [socket.create_connection((str(parts.hostname), parts.port or 0)) for _ in range(200)]
        silent[0].sendall(b"GET /v1/me HTTP/1.1\r\nhost: x\r\n")
        try:
            assert ask(process, "GET", "/v1/me", authorization=f"Bearer {key}")[0] == 200
            silent[0].settimeout(_WAIT_S)
            silent[1].settimeout(_WAIT_S)
            began = time.monotonic()
            assert silent[0].recv(1) == b""
            assert silent[1].recv(1) == b""
            assert time.monotonic() - began < _WAIT_S
        finally:
            for each in silent:
                each.close()
