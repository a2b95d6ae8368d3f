"""The keys of an identity provider: found by discovery, kept for a while, fetched anew when a token names another."""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, RSAKey

from tripoint.adapters.oidc.fetch import place_of
from tripoint.domain.errors import UpstreamError

FRESH_S = 600.0
"""Keys older than this are fetched anew when a token comes."""
STALE_S = 3600.0
"""Keys older than this are not used any more, even while the provider is silent."""
COOL_S = 15.0
"""Least time between two fetches, so that tokens with invented key ids cannot make us a nuisance."""
_MAX_KEYS = 100
_LEAST_RSA_BITS = 2048
_DISCOVERY = "/.well-known/openid-configuration"
_PUBLIC_KINDS = ("RSA", "EC", "OKP")

FetchJson = Callable[[str], Awaitable[dict[str, Any]]]
"""Fetches a JSON object; raises `UpstreamError`."""


class Issuer:
    """One provider."""

    def __init__(self, url: str, fetch: FetchJson, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises `OptionError` where the address is not one a provider may have."""
        place_of(url)
        self.url = url
        """As tokens must name it, to the letter."""
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> Key | None:
        """The signing key of that id; `None` where the provider has none.

        An empty id means the only key of a provider that has one. Raises `UpstreamError` while no key can be had.
        """
        found = self._found(kid)
        if found is None or self._age() > FRESH_S:
            await self._refresh()
            found = self._found(kid)
        if self._age() > STALE_S:
            raise UpstreamError(
                f"the keys of the identity provider {self.url} cannot be had", hint="is it up and reachable from here?"
            )
        return found

    def _found(self, kid: str) -> Key | None:
        if not kid:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid)

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._clock() - self._fetched_at

    async def _refresh(self) -> None:
        """Fetches the keys unless that was tried a moment ago; keeps the old ones where it fails."""
        async with self._lock:
            now = self._clock()
            if self._tried_at is not None and now - self._tried_at < COOL_S:
                return
            self._tried_at = now
            try:
                keys = await self._fetched()
            except UpstreamError:
                if self._age() > STALE_S:
                    raise
                return
            self._keys = keys
            self._fetched_at = self._clock()

    async def _fetched(self) -> dict[str, Key]:
        document = await self._fetch(self.url.rstrip("/") + _DISCOVERY)
        if document.get("issuer") != self.url:
            raise UpstreamError(
                f"the identity provider at {self.url} calls itself {str(document.get('issuer'))[:200]!r}",
                hint="give `--oidc-issuer` exactly as the provider writes it",
            )
        where = document.get("jwks_uri")
        if not isinstance(where, str) or place_of(where).is_tls != place_of(self.url).is_tls:
            raise UpstreamError(f"the identity provider {self.url} names no proper address of its keys")
        listed = (await self._fetch(where)).get("keys")
        keys = dict(_usable(listed if isinstance(listed, list) else []))
        if not keys:
            raise UpstreamError(f"the identity provider {self.url} lists no key for signatures")
        return keys


def _usable(listed: list[Any]) -> list[tuple[str, Key]]:
    """Public keys for signatures, by id; what is for other uses, unknown or secret is passed over."""
    found: list[tuple[str, Key]] = []
    for each in listed[:_MAX_KEYS]:
        is_for_us = isinstance(each, dict) and each.get("kty") in _PUBLIC_KINDS and each.get("use", "sig") == "sig"
        if not is_for_us or "d" in each:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of short keys, which are passed over here
                key = JWKRegistry.import_key(each)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(key, RSAKey) and key.public_key.key_size < _LEAST_RSA_BITS:
            continue
        found.append((str(each.get("kid", "")), key))
    return found
