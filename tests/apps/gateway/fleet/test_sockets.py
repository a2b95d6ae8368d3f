"""Where callers may connect, and to whom that is open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.apps.gateway.fleet.sockets import (
    close_all,
    is_loopback,
    listening_sockets,
    proxy_networks,
    refuse_open_door,
    stand_ins,
)
from tripoint.domain.errors import OptionError, PlatformError


@pytest.mark.parametrize(
    ("host", "is_so"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("10.0.0.1", False), ("gateway.example", False)],
)  # fmt: skip
def test_which_addresses_only_this_machine_reaches(host: str, is_so: bool) -> None:
    """Names are trusted only where they cannot lead elsewhere."""
    assert is_loopback(host) is is_so


@pytest.mark.parametrize(("has_tls", "has_keys"), [(False, False), (True, False), (False, True)])
def test_an_open_door_is_refused(has_tls: bool, has_keys: bool) -> None:
    """Either both are there, or only this machine may connect."""
    with pytest.raises(OptionError, match="other machines"):
        refuse_open_door("0.0.0.0", has_tls=has_tls, has_keys=has_keys)
    refuse_open_door("127.0.0.1", has_tls=has_tls, has_keys=has_keys)
    refuse_open_door("0.0.0.0", has_tls=True, has_keys=True)


def test_a_declared_proxy_stands_for_the_certificate_and_not_for_the_keys() -> None:
    """Whoever declares where TLS ends answers for what lies between; callers are known all the same."""
    refuse_open_door("0.0.0.0", has_tls=False, has_keys=True, has_proxy=True)
    with pytest.raises(OptionError, match="no client keys"):
        refuse_open_door("0.0.0.0", has_tls=False, has_keys=False, has_proxy=True)


def test_proxies_are_addresses_and_never_everybody() -> None:
    """An address is a network of one; a host's bits in a network are dropped."""
    assert proxy_networks(["10.0.0.7", "10.0.0.9/28", "fd00::7"]) == ("10.0.0.7/32", "10.0.0.0/28", "fd00::7/128")
    for wrong, why in (("proxy.example", "not an address"), ("0.0.0.0/0", "every address"), ("::/0", "every address")):
        with pytest.raises(OptionError, match=why):
            proxy_networks([wrong])


@pytest.mark.enable_socket
def test_workers_share_one_address_and_nobody_else_does() -> None:
    """A free port is taken once; a second program is told."""
    sockets = listening_sockets("127.0.0.1", 0, 3)
    try:
        ports = {each.getsockname()[1] for each in sockets}
        assert len(ports) == 1
        sockets[0].listen()
        with pytest.raises(PlatformError, match="cannot listen"):
            listening_sockets("127.0.0.1", ports.pop(), 2)
    finally:
        close_all(sockets)


@pytest.mark.enable_socket
def test_an_address_that_is_not_ours_is_told() -> None:
    """With what to change."""
    with pytest.raises(OptionError, match="not an address of this machine"):
        listening_sockets("no-such-host.invalid", 0, 1)
    with pytest.raises(PlatformError, match="cannot listen"):
        listening_sockets("203.0.113.9", 0, 1)


@given(st.lists(st.sampled_from(["serves", "died", "never served"]), min_size=1, max_size=12))
def test_every_place_whose_worker_died_has_one_stand_in(states: list[str]) -> None:
    """While anybody serves; nobody who does not serve stands in, and they share the work."""
    serving = [state == "serves" for state in states]
    missed = [state == "died" for state in states]
    found = stand_ins(serving, missed)
    assert len(found) == len(states)
    assert all(is_serving or not places for is_serving, places in zip(serving, found, strict=True))
    taken = sorted(place for places in found for place in places)
    assert taken == ([place for place, is_missed in enumerate(missed) if is_missed] if any(serving) else [])
    sizes = [len(places) for is_serving, places in zip(serving, found, strict=True) if is_serving]
    assert max(sizes, default=0) - min(sizes, default=0) <= 1
