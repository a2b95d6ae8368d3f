"""TLS on both sides with a throwaway certificate authority: callers verify the gateway, the gateway its upstreams."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import openai
import pytest
from tests.conftest import missing_component
from tests.factories.rigs import Rig, rig

from tripoint.apps.battery.verdict import Verdict
from tripoint.apps.battery.wire.framing import framing_rows

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]


class Authority:
    """A certificate authority of our own, and certificates it signs, made by the `openssl` command."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.certificate = folder / f"{name}.pem"
        key = folder / f"{name}.key"
        self._openssl("req", "-x509", "-nodes", "-keyout", str(key), "-out", str(self.certificate), "-days", "2",
                      "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip

    def sign(self, name: str, *, host: str = "localhost", days: str = "2") -> tuple[Path, Path]:
        """A certificate for `host` and 127.0.0.1, and its key."""
        certificate, key, request = (self.folder / f"{name}.{kind}" for kind in ("pem", "key", "csr"))
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName=DNS:{host},IP:127.0.0.1\n")
        self._openssl("req", "-nodes", "-keyout", str(key), "-out", str(request), "-subj", f"/CN={host}")
        self._openssl("x509", "-req", "-in", str(request), "-CA", str(self.certificate), "-CAkey",
                      str(self.folder / f"{self.name}.key"), "-out", str(certificate), "-days", days,
                      "-extfile", str(extensions))  # fmt: skip
        return certificate, key

    def _openssl(self, what: str, *arguments: str) -> None:
        program = shutil.which("openssl")
        if program is None:
            missing_component("openssl is not installed")
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] if what == "req" else []
        subprocess.run([str(program), what, *new, *arguments], capture_output=True, check=True)


def serving_context(pair: tuple[Path, Path]) -> ssl.SSLContext:
    """A server's side of TLS with that certificate and key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority everybody here trusts."""
    return Authority(tmp_path_factory.mktemp("authority"), "trusted")


@pytest.fixture(scope="module")
def running(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A gateway with a certificate before an upstream with one; two more have certificates nobody should accept."""
    stranger = Authority(tmp_path_factory.mktemp("stranger"), "stranger")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = authority.sign("gateway")
    contexts = {
        "dense-1": serving_context(stranger.sign("foreign")),
        "dense-2": serving_context(authority.sign("misnamed", host="elsewhere.example")),
        "cloud-1": serving_context(authority.sign("upstream")),
    }
    declared: dict[str, dict[str, object]] = {name: {"ca_file": str(authority.certificate)} for name in contexts}
    flags = ("--tls-cert", str(certificate), "--tls-key", str(key))
    with rig(folder, upstreams=declared, tls=contexts, flags=flags, ca_file=str(authority.certificate)) as found:
        yield found


def client(found: Rig, authority: Authority) -> openai.OpenAI:
    """The openai SDK, trusting only the test's authority."""
    trusting = httpx2.Client(verify=ssl.create_default_context(cafile=str(authority.certificate)))
    base = f"https://127.0.0.1:{found.gateway.port}/v1"
    return openai.OpenAI(base_url=base, api_key=found.key, max_retries=0, http_client=trusting)


def test_only_the_upstream_with_a_proper_certificate_is_asked(running: Rig, authority: Authority) -> None:
    """The cheaper ones show a foreign certificate and a wrong name: not a byte of a request goes there."""
    before = len(running.servers["cloud-1"].seen)
    with client(running, authority) as openai_client:
        for _ in range(3):
            answer = openai_client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "x"}])
            assert answer.choices[0].message.content
    assert {name: len(server.seen) for name, server in running.servers.items()} == {
        "dense-1": 0, "dense-2": 0, "cloud-1": before + 3,
    }  # fmt: skip


def test_streams_come_through_both(running: Rig, authority: Authority) -> None:
    """Event by event, to the end."""
    with client(running, authority) as openai_client:
        stream = openai_client.chat.completions.create(
            model="chat", messages=[{"role": "user", "content": "x"}], stream=True
        )
        words = [chunk.choices[0].delta.content for chunk in stream if chunk.choices]
    assert len([word for word in words if word]) == 16


def test_old_protocols_and_plain_text_are_refused(running: Rig, authority: Authority) -> None:
    """Nothing older than TLS 1.2, and no HTTP on the port."""
    old = ssl.create_default_context(cafile=str(authority.certificate))
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with httpx2.Client(verify=old) as outdated, pytest.raises(httpx2.ConnectError):
        outdated.get(f"https://127.0.0.1:{running.gateway.port}/v1/models")
    with httpx2.Client() as plain, pytest.raises(httpx2.TransportError):
        plain.get(f"http://127.0.0.1:{running.gateway.port}/v1/models")


def test_the_battery_judges_framing_over_tls_as_it_does_without(running: Rig) -> None:
    """A refusal is read by its caller before the connection closes, which takes a moment then: no row is missed."""
    rows = asyncio.run(framing_rows(running.gateway.place()))
    assert len(rows) >= 5
    assert [(row.id, row.seen) for row in rows if row.verdict is not Verdict.PASS] == []
