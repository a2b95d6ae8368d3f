"""One small document from a declared address: bounded in time and size, never redirected, never blocking the loop."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httptools
import msgspec

from tripoint.adapters.upstream_http.names import Names
from tripoint.adapters.upstream_http.trust import client_context
from tripoint.domain.errors import OptionError, UpstreamError

_MAX_BYTES = 512 * 1024
_TIMEOUT_S = 5.0
_PIECE = 16 * 1024


class Place(NamedTuple):
    """Where a document is."""

    is_tls: bool
    """True for `https`."""
    host: str
    """Host name or address."""
    port: int
    """TCP port."""
    path: str
    """Path and query."""


def place_of(url: str) -> Place:
    """Takes an address apart.

    Raises `OptionError` for one that is not `https`; plain `http` is taken on this machine only.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise OptionError(f"`{url}` is not an address: {error}", hint="write https://host/path") from None
    host = parts.hostname or ""
    is_local = host in ("localhost", "127.0.0.1", "::1")
    is_proper = parts.scheme == "https" or (parts.scheme == "http" and is_local)
    if not host or not is_proper or parts.username is not None or parts.fragment:
        raise OptionError(
            f"`{url}` is not an address an identity provider may have",
            hint="write https://host/path, without user name and fragment; http only for this machine itself",
        )
    is_tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if any(ord(sign) <= 32 or ord(sign) >= 127 for sign in path):
        raise OptionError(f"`{url}` has characters no address may have", hint="percent-encode them")
    return Place(is_tls, host, port or (443 if is_tls else 80), path)


class Fetch:
    """Fetches JSON documents."""

    def __init__(self, ca_file: str | None = None, timeout_s: float = _TIMEOUT_S) -> None:
        """`ca_file` names an authority of one's own; raises `OptionError` where it cannot be used."""
        try:
            self._tls = client_context(ca_file)
        except OSError as error:
            raise OptionError(f"`{ca_file}` cannot be used as an authority: {error.strerror or error}") from None
        self._names = Names()
        self._timeout_s = timeout_s

    async def json(self, url: str) -> dict[str, Any]:
        """The JSON object at an address.

        Raises `UpstreamError` when it is not there in time, is too long, is a redirect or is not a JSON object.
        """
        place = place_of(url)
        try:
            async with asyncio.timeout(self._timeout_s):
                status, body = await self._get(place)
        except TimeoutError:
            raise _failed(url, f"no whole answer within {self._timeout_s:g} s") from None
        except (OSError, ssl.SSLError, httptools.HttpParserError) as error:
            raise _failed(url, str(error) or type(error).__name__) from error
        if status != 200:
            raise _failed(url, f"status {status} instead of 200")
        try:
            found = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            raise _failed(url, "the answer is not a JSON object") from None
        return found

    async def _get(self, place: Place) -> tuple[int, bytes]:
        reader, writer = await self._open(place)
        try:
            host = f"[{place.host}]" if ":" in place.host else place.host
            port = "" if place.port == (443 if place.is_tls else 80) else f":{place.port}"
            lines = (f"GET {place.path} HTTP/1.1", f"host: {host}{port}", "accept: application/json",
                     "accept-encoding: identity", "connection: close", "", "")  # fmt: skip
            writer.write("\r\n".join(lines).encode("ascii"))
            answer = _Answer()
            parser = httptools.HttpResponseParser(answer)
            while not answer.is_whole:
                piece = await reader.read(_PIECE)
                if not piece:
                    break
                parser.feed_data(piece)
                if answer.size > _MAX_BYTES:
                    raise OSError(f"the answer is longer than {_MAX_BYTES:,} bytes")
            is_whole = answer.is_whole or not answer.has_length
            if not answer.has_head or not is_whole:
                raise OSError("the connection ended before the answer did")
            return parser.get_status_code(), b"".join(answer.parts)
        finally:
            writer.transport.abort()

    async def _open(self, place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        tls = self._tls if place.is_tls else None
        last: OSError = OSError("no address")
        for family, address in await self._names.find(place.host):
            try:
                return await asyncio.open_connection(
                    address, place.port, family=family, ssl=tls, server_hostname=place.host if tls else None
                )
            except OSError as error:
                last = error
        raise last


class _Answer:
    """What the parser reports."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.is_whole = False
        self.has_head = False
        self.has_length = False
        self.size = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self.size += len(name) + len(value)
        self.has_length |= name.lower() in (b"content-length", b"transfer-encoding")

    def on_headers_complete(self) -> None:
        self.has_head = True

    def on_body(self, piece: bytes) -> None:
        self.size += len(piece)
        self.parts.append(piece)

    def on_message_complete(self) -> None:
        self.is_whole = True


def _failed(url: str, reason: str) -> UpstreamError:
    return UpstreamError(f"the identity provider's `{url}`: {reason}", hint="is it up, and the address right?")
