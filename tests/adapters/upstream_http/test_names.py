"""Names of upstreams lead where model servers are, and nowhere a cloud machine keeps its credentials."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from tripoint.adapters.upstream_http.names import Names, is_usable


@pytest.mark.parametrize(
    ("address", "usable"),
    [
        ("10.0.0.5", True), ("127.0.0.1", True), ("8.8.8.8", True), ("::1", True), ("fd00::1", True),
        ("169.254.169.254", False), ("fe80::1", False), ("fe80::1%eth0", False), ("::ffff:169.254.169.254", False),
        ("224.0.0.1", False), ("ff02::1", False), ("0.0.0.0", False), ("::", False),
    ],
)  # fmt: skip
def test_where_names_may_lead(address: str, usable: bool) -> None:
    """Link-local, multicast and unspecified addresses are nobody's model server."""
    assert is_usable(address) is usable


class Resolver:
    """Answers in turn; an `OSError` is raised."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str] | OSError) -> None:
        self.asked = 0
        self._answers = answers
        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", self._find)

    async def _find(self, host: str, port: Any, **_: Any) -> list[Any]:
        found = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        if isinstance(found, OSError):
            raise found
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in found]


def addresses(names: Names, host: str = "models.example") -> list[str]:
    """What a name leads to."""
    with asyncio.Runner() as runner:
        return [address for _, address in runner.run(names.find(host))]


def test_an_answer_is_kept_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """And asked for anew after that."""
    resolver = Resolver(monkeypatch, ["10.0.0.1"], ["10.0.0.2"])
    kept, forgotten = Names(), Names(lifetime_s=0.0)
    assert addresses(kept) == addresses(kept) == ["10.0.0.1"]
    assert resolver.asked == 1
    assert addresses(forgotten) == ["10.0.0.2"]
    addresses(forgotten)
    assert resolver.asked == 3


def test_a_silent_resolver_takes_no_upstream_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was known is used on; what never was is not there."""
    Resolver(monkeypatch, ["10.0.0.1"], OSError("down"))
    names = Names(lifetime_s=0.0)
    assert addresses(names) == ["10.0.0.1"]
    assert addresses(names) == ["10.0.0.1"]
    with pytest.raises(OSError, match="down"):
        addresses(names, "other.example")


def test_addresses_that_may_not_be_used_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads to nothing else is refused; one written out as an address is as declared."""
    Resolver(monkeypatch, ["169.254.169.254", "10.0.0.1"], ["169.254.169.254"])
    names = Names(lifetime_s=0.0)
    assert addresses(names) == ["10.0.0.1"]
    with pytest.raises(OSError, match="no address that may be used"):
        addresses(names)
    assert addresses(names, "127.0.0.1") == ["127.0.0.1"]
    assert addresses(names, "::1") == ["::1"]
