"""Where requests go and what they carry: addresses, credentials by reference, names that fit a header.

No message shows a secret: what may hold one (a reference that is none, userinfo, a query) is described, not quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import clip, finding
from tripoint.domain.serving import Upstream
from tripoint.domain.site import Layer

_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*\Z|file:\S.*\Z")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?\Z")
_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/-]*\Z")
_VERSION = re.compile(r"[A-Za-z0-9._-]{1,60}\Z")
_LOOPBACK_NAMES = ("localhost", "ip6-localhost")
_PRIVATE_ENDINGS = (".internal", ".local", ".lan", ".localhost", ".home.arpa", ".cluster.local")
_ADDRESS = "write it as `http://host:port/v1` or `https://host/v1`"
_BY_REFERENCE = "write `env:NAME` and set the variable, or `file:PATH`; and change the secret if this file was shared"


def check_addresses(estate: Estate) -> Iterator[Finding]:
    """Addresses that cannot be used, secrets that are no references, secrets that travel in the clear."""
    layers = {site.id: site.kind.layer for site in estate.sites}
    for index, upstream in enumerate(estate.serving.upstreams):
        path = f"serving.upstreams[{index}]"
        yield from _address(f"{path}.url", upstream.url)
        yield from _secret(f"{path}.secret", upstream.secret)
        yield from _extras(path, upstream)
        yield from _in_the_clear(path, upstream, layers.get(upstream.site))
    for index, key in enumerate(estate.serving.keys):
        yield from _secret(f"serving.keys[{index}].secret", key.secret)
    yield from _one_place(estate)


def split(url: str) -> SplitResult | None:
    """The parts of an address; `None` where it is none."""
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def is_reference(secret: str) -> bool:
    """True for `env:NAME` and `file:PATH`."""
    return _REFERENCE.match(secret) is not None


def _address(path: str, url: str) -> Iterator[Finding]:
    parts = split(url)
    if parts is None:
        yield finding("TP1325", path, "is not an address: its host or its port (1 to 65535) cannot be read", _ADDRESS)
        return
    if "@" in parts.netloc:
        message = "holds a user name or a password before the host, where everybody who reads the estate sees it"
        yield finding("TP1326", path, message, "remove them and declare `secret: env:NAME`")
        return
    wrong = _wrong(url, parts)
    if wrong:
        yield finding("TP1325", path, wrong, _ADDRESS)


def _wrong(url: str, parts: SplitResult) -> str:
    """The first thing that keeps an address from being used, in words; empty for a good one."""
    if parts.scheme not in ("http", "https"):
        return f"expects `http` or `https`, found `{clip(parts.scheme)}`" if parts.scheme else "has no scheme"
    if not parts.hostname:
        return "names no host"
    if not _is_host(parts.hostname):
        return f"names the host `{clip(parts.hostname)}`; a host has letters, digits, `-`, `_` and `.` only"
    if parts.query or "?" in url:
        return "has a query (what follows `?`); requests bring their own"
    if parts.fragment or "#" in url:
        return "has a fragment (what follows `#`)"
    if not _PATH.match(parts.path) or not url.isprintable() or " " in url:
        return "has a path with signs an address cannot have"
    steps = parts.path.lower().replace("%2e", ".").split("/")
    return "has a path that climbs (`..`)" if ".." in steps else ""


def _is_host(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return _HOST.match(host) is not None
    return True


def _secret(path: str, secret: str | None) -> Iterator[Finding]:
    if secret is not None and not is_reference(secret):
        message = f"expects a reference, found {len(secret)} signs that are none; an estate lies in git and is shared"
        yield finding("TP1326", path, message, _BY_REFERENCE)


def _extras(path: str, upstream: Upstream) -> Iterator[Finding]:
    if upstream.metrics is not None and not (upstream.metrics.startswith("/") and _PATH.match(upstream.metrics)):
        message = f"expects a path that starts with `/`, found `{clip(upstream.metrics)}`"
        yield finding("TP1325", f"{path}.metrics", message, "write `/metrics`")
    if upstream.api_version is not None and not _VERSION.match(upstream.api_version):
        message = f"`{clip(upstream.api_version)}` cannot be sent as a version"
        yield finding("TP1325", f"{path}.api_version", message, "use letters, digits, `-`, `_` and `.`, at most 60")


def _in_the_clear(path: str, upstream: Upstream, layer: Layer | None) -> Iterator[Finding]:
    parts = split(upstream.url)
    if upstream.secret is None or parts is None or parts.scheme != "http" or not parts.hostname:
        return
    if _is_loopback(parts.hostname) or (layer is not Layer.PUBLIC and _is_private(parts.hostname)):
        return
    where = f"`{upstream.site}`, a {layer.value} site," if layer is not None else f"`{upstream.site}`"
    message = f"the credential goes to `{clip(parts.hostname)}` at {where} by http, readable on the way"
    yield finding(
        "TP1327", f"{path}.url", message, "use `https`, with `ca_file` for a certificate authority of your own"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in _LOOPBACK_NAMES


def _is_private(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return host.endswith(_PRIVATE_ENDINGS)


def _one_place(estate: Estate) -> Iterator[Finding]:
    """One host and port is one place, and policy judges places."""
    first: dict[tuple[str, int | None], Upstream] = {}
    for index, upstream in enumerate(estate.serving.upstreams):
        parts = split(upstream.url)
        if parts is None or not parts.hostname:
            continue
        default = 443 if parts.scheme == "https" else 80
        before = first.setdefault((parts.hostname, parts.port or default), upstream)
        if before.site != upstream.site:
            message = (
                f"`{clip(parts.hostname)}` is said to be at `{upstream.site}` here and at `{before.site}` by "
                f"`{before.id}`; policy judges by the site, so one of the two is judged wrongly"
            )
            yield finding("TP1329", f"serving.upstreams[{index}].url", message, "declare the site it is really at")
