"""The deployment under examination: where it listens, its key and the model asked for."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tripoint.domain.errors import OptionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An OpenAI-compatible endpoint."""

    host: str
    """Name or address."""
    port: int
    """TCP port."""
    base_path: str = "/v1"
    """Path before `/chat/completions`."""
    key: str = field(default="", repr=False)
    """Bearer key, empty for none."""
    model: str = ""
    """Model named in requests."""
    tls: ssl.SSLContext | None = None
    """How to speak TLS; plain when `None`."""
    source: str = ""
    """Local address to connect from, any when empty."""

    @property
    def authority(self) -> str:
        """Value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """True for an address of this machine only."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


def place_of(url: str, *, key: str = "", model: str = "", ca_file: str | None = None) -> Place:
    """The place an address names; a missing path means `/v1`.

    Raises `OptionError` for anything but an http or https address with a host.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise OptionError(f"`{url}` is not an http or https address", hint="for example http://127.0.0.1:8080/v1")
    is_tls = parts.scheme == "https"
    return Place(
        host=parts.hostname,
        port=port or (443 if is_tls else 80),
        base_path=parts.path.rstrip("/") or "/v1",
        key=key,
        model=model,
        tls=_tls(ca_file) if is_tls else None,
    )


def _tls(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise OptionError(f"`{ca_file}` is not a certificate authority: {error}") from error
