"""Where callers connect: one listening socket per worker, held by the supervisor so that no worker's end closes it.

A connection that arrives while a worker is being replaced is not refused: another worker takes it from the queue, or,
where there is no other, the new one.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterable, Sequence

from tripoint.domain.errors import OptionError, PlatformError


def is_loopback(host: str) -> bool:
    """True for an address only this machine can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def proxy_networks(addresses: Iterable[str]) -> tuple[str, ...]:
    """The networks of declared proxies as `ipaddress` writes them; raises `OptionError` for what is none."""
    found = []
    for each in addresses:
        try:
            network = ipaddress.ip_network(each, strict=False)
        except ValueError:
            raise OptionError(
                f"`--trusted-proxy {each}` is not an address",
                hint="give one such as 10.0.0.7, or a network such as 10.0.0.0/28",
            ) from None
        if not network.prefixlen:
            raise OptionError(
                f"`--trusted-proxy {each}` is every address there is", hint="name the proxy's own, or its network's"
            )
        found.append(str(network))
    return tuple(found)


def refuse_open_door(
    host: str,
    *,
    has_tls: bool,
    has_keys: bool,
    has_proxy: bool | None = None,
    keys: str = "client keys (`serving.keys` in the estate, or `tripoint key create`)",
) -> None:
    """Raises `OptionError` where others than this machine could call without being known, or be overheard.

    `keys` says what makes callers known. With declared proxies nobody else may connect, and what is between them and us
    is for whoever declared them; `None` where none can be declared.
    """
    is_private = has_tls or bool(has_proxy)
    if is_loopback(host) or (is_private and has_keys):
        return
    instead = "" if has_proxy is None else " and no proxy that ends TLS (`--trusted-proxy`)"
    missing = [
        *(() if is_private else (f"certificate (`--tls-cert`, `--tls-key`){instead}",)),
        *(() if has_keys else (keys,)),
    ]
    raise OptionError(
        f"`--host {host}` can be reached from other machines, and there is no {' and no '.join(missing)}",
        hint="declare both, or listen on 127.0.0.1 behind something that does",
    )


def listening_sockets(host: str, port: int, count: int) -> list[socket.socket]:
    """`count` sockets on one address that share its connections; a free port is taken for port 0.

    They take connections once a worker listens on them.

    Raises `PlatformError` where the address cannot be had, another `tripoint serve` on it included.
    """
    try:
        info = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise OptionError(f"`--host {host}` is not an address of this machine: {error.strerror or error}") from None
    sockets: list[socket.socket] = []
    try:
        with socket.socket(info[0], socket.SOCK_STREAM) as probe:  # alone: sharing is among our own workers only
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(info[4])
            address = probe.getsockname()
        for _ in range(count):
            each = socket.socket(info[0], socket.SOCK_STREAM)
            sockets.append(each)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if count > 1:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            each.bind(address)
    except OSError as error:
        close_all(sockets)
        is_taken = error.errno == errno.EADDRINUSE
        raise PlatformError(
            f"cannot listen on {host}:{port}: {error.strerror or error}",
            hint="another program has this port; choose one with `--port`" if is_taken else "choose another address",
        ) from None
    return sockets


def stand_ins(serving: Sequence[bool], missed: Sequence[bool]) -> list[tuple[int, ...]]:
    """For each place, the missed ones that its worker stands in for: by turns over those that serve."""
    able = [place for place, is_serving in enumerate(serving) if is_serving]
    found: list[tuple[int, ...]] = [() for _ in serving]
    for turn, place in enumerate([place for place, is_missed in enumerate(missed) if is_missed]):
        if able:
            found[able[turn % len(able)]] += (place,)
    return found


def close_all(sockets: Iterable[socket.socket]) -> None:
    """Closes them."""
    for each in sockets:
        each.close()
