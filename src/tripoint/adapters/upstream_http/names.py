"""Addresses of upstreams: names are looked up beside the requests, kept for a while, and never lead off the network.

A name that resolves to a link-local, multicast or unspecified address is refused: that is where cloud machines keep
their credentials, and no model server lives there. An address written out in the estate is taken as declared.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from time import monotonic
from typing import NamedTuple

Address = tuple[socket.AddressFamily, str]


class _Known(NamedTuple):
    addresses: tuple[Address, ...]
    until: float


class Names:
    """Looks names up; an answer is kept `lifetime_s`, and longer while the resolver is silent."""

    def __init__(self, lifetime_s: float = 30.0) -> None:
        self._lifetime_s = lifetime_s
        self._known: dict[str, _Known] = {}

    async def find(self, host: str) -> tuple[Address, ...]:
        """Addresses of a host in the order to be tried; raises `OSError` where there is none to be used."""
        literal = _literal(host)
        if literal is not None:
            return (literal,)
        known = self._known.get(host)
        now = monotonic()
        if known is not None and now < known.until:
            return known.addresses
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError:
            if known is None:
                raise
            return known.addresses  # a resolver that is down must not take the upstream with it
        addresses = tuple(dict.fromkeys((family, str(where[0])) for family, _, _, _, where in found))
        usable = tuple(each for each in addresses if is_usable(each[1]))
        if not usable:
            raise OSError(f"`{host}` resolves to no address that may be used")
        self._known[host] = _Known(usable, now + self._lifetime_s)
        return usable


def is_usable(address: str) -> bool:
    """True for an address that a name may lead to."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    if mapped is not None:
        found = mapped
    return not (found.is_link_local or found.is_multicast or found.is_unspecified)


def _literal(host: str) -> Address | None:
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    return (socket.AF_INET6 if found.version == 6 else socket.AF_INET), host
