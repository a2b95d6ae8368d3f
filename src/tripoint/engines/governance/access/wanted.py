"""What may a new key be? Its names, what it is confined to, and when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tripoint.domain.errors import OptionError
from tripoint.domain.tenancy import ApiKey
from tripoint.domain.units import SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from tripoint.engines.governance.access.names import good_name

MAX_LISTED: Final = 100
"""Most workloads, and most places, one key may name."""
_LAST_MOMENT: Final = 253_402_300_799.0
"""The last second of 9999; what is not a number is beyond it as well."""

_SPANS: Final = (
    (365.25 * SECONDS_PER_DAY, "years"),
    (SECONDS_PER_DAY, "days"),
    (SECONDS_PER_HOUR, "hours"),
    (SECONDS_PER_MINUTE, "min"),
    (1.0, "s"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a new key is to be."""

    name: str
    """What people call it."""
    tenant: str = ""
    """Who pays, for a key of the gateway."""
    principal: str | None = None
    """For whom it speaks in the admin interface; then it is no key of the gateway."""
    workloads: tuple[str, ...] = ()
    """Workloads it may call; all when empty."""
    only_at: tuple[str, ...] = ()
    """Sites, layers or kinds it is confined to."""
    expires_at: float | None = None
    """Seconds since 1970; never when `None`."""


def check_wanted(wanted: Wanted, now: float) -> None:
    """Raises `OptionError` for a key that cannot be."""
    good_name(wanted.name, "key")
    if (wanted.principal is None) == (not wanted.tenant):
        raise OptionError(
            "a key is either of a tenant or of a principal",
            hint="name one of them: a principal brings its tenant along",
        )
    if wanted.principal is not None and (wanted.workloads or wanted.only_at):
        raise OptionError(
            "a principal's key opens the admin interface only", hint="workloads and sites restrict keys of a tenant"
        )
    for what, names in (("workloads", wanted.workloads), ("places", wanted.only_at)):
        _check_names(what, names)
    check_expiry(wanted.expires_at, now)


def _check_names(what: str, names: Sequence[str]) -> None:
    if len(names) > MAX_LISTED:
        raise OptionError(f"{len(names)} {what} are too many: at most {MAX_LISTED}", hint="leave them out for all")
    for name in names:
        good_name(name, what.removesuffix("s"))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise OptionError(f"`{twice[0]}` is named twice among the {what}", hint="name it once")


def check_expiry(expires_at: float | None, now: float) -> None:
    """Raises `OptionError` for an end that is past, or beyond the calendar."""
    if expires_at is not None and not expires_at <= _LAST_MOMENT:
        raise OptionError(
            "a key cannot end later than the year 9999", hint="leave the end out for a key that never ends"
        )
    if expires_at is not None and not expires_at > now:
        raise OptionError(
            f"a key that ends {_ago(now - expires_at)} ago would open nothing", hint="name a future time, or none"
        )


def _ago(seconds: float) -> str:
    """A span of time in the largest unit of which it has two."""
    unit, name = next((each for each in _SPANS if seconds >= 2 * each[0]), _SPANS[-1])
    return f"{seconds / unit:,.0f} {name}"


def key_of(wanted: Wanted, key_id: str, digest: str, tenant: str, now: float) -> ApiKey:
    """The key that is kept of what was wanted, made `now` (seconds since 1970); `tenant` pays for it."""
    return ApiKey(
        id=key_id,
        digest=digest,
        name=wanted.name,
        tenant=tenant,
        created_at=now,
        principal=wanted.principal,
        workloads=wanted.workloads,
        only_at=wanted.only_at,
        expires_at=wanted.expires_at,
    )
