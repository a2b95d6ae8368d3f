"""Checks a bearer token: algorithm, signature, issuer, audience, times; nothing in it is believed before that."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError

from tripoint.adapters.oidc.issuer import Issuer
from tripoint.domain.errors import IdentityError

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures that are believed: asymmetric ones only, since a shared secret is known to more than the provider."""
LEEWAY_S = 30
"""Most by which the provider's clock may differ from ours."""
_MAX_TOKEN = 16 * 1024
_MAX_GROUPS = 500


class Identity(NamedTuple):
    """Whom a good token speaks for."""

    subject: str
    """`issuer#subject`, as principals name it."""
    groups: tuple[str, ...]
    """Groups the provider puts the subject in."""
    expires_at: float
    """Seconds since 1970."""


class TokenRules(NamedTuple):
    """What a token must say."""

    audience: str
    """One of its audiences."""
    groups_claim: str = "groups"
    """Which claim lists groups."""


class Tokens:
    """Tells good tokens from others."""

    def __init__(self, issuer: Issuer, rules: TokenRules, clock: Callable[[], float] = time.time) -> None:
        self._issuer = issuer
        self._rules = rules
        self._clock = clock

    async def identity(self, token: str) -> Identity:
        """Whom the token speaks for.

        Raises `IdentityError` for a token that is not good, `UpstreamError` while the provider's keys cannot be had.
        """
        if len(token) > _MAX_TOKEN:
            raise _refused(f"it has {len(token):,} characters, at most {_MAX_TOKEN:,} are read")
        algorithm, kid = _head(token)
        if algorithm not in ALGORITHMS:
            raise _refused(f"it is signed by `{algorithm[:20]}`, not by one of {', '.join(ALGORITHMS)}")
        key = await self._issuer.key(kid)
        if key is None:
            raise _refused(f"{self._issuer.url} has no signing key of its id")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of algorithms we allow and the library would rather not
                claims = jwt.decode(token, key, algorithms=[algorithm]).claims
        except (JoseError, ValueError, TypeError):
            raise _refused("its signature is not the provider's") from None
        self._check(claims)
        return Identity(f"{self._issuer.url}#{claims['sub']}", self._groups(claims), float(claims["exp"]))

    def _check(self, claims: dict[str, Any]) -> None:
        now = int(self._clock())
        rules = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._issuer.url},
            aud={"essential": True, "value": self._rules.audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        try:
            rules.validate(claims)
        except ExpiredTokenError:
            raise _refused(f"it expired {now - int(claims['exp']):,} s ago, with {LEEWAY_S} s of leeway") from None
        except JoseError as error:
            raise _refused(_told(error, self._rules.audience)) from None
        if not claims["sub"].isprintable() or len(claims["sub"]) > 255:
            raise _refused("its subject is longer than 255 characters, or not printable")

    def _groups(self, claims: dict[str, Any]) -> tuple[str, ...]:
        listed = claims.get(self._rules.groups_claim)
        if not isinstance(listed, list) or len(listed) > _MAX_GROUPS:
            return ()
        return tuple(each for each in listed if isinstance(each, str))


def _head(token: str) -> tuple[str, str]:
    """Algorithm and key id a token claims to have."""
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
        algorithm, kid = header.get("alg", ""), header.get("kid", "")
    except (JoseError, ValueError, TypeError, AttributeError):
        raise _refused("it is not a signed token") from None
    if not isinstance(algorithm, str) or not isinstance(kid, str):
        raise _refused("it is not a signed token")
    return algorithm, kid


def _told(error: JoseError, audience: str) -> str:
    claim = str(getattr(error, "claim", "")) or error.description
    if "aud" in claim:
        return f"it is not for the audience `{audience}`"
    if "iss" in claim:
        return "it was issued by another provider"
    return f"the claim `{claim[:60]}` is missing or not as it must be"


def _refused(reason: str) -> IdentityError:
    return IdentityError(f"the token is refused: {reason}", hint="ask your identity provider for a new one")
