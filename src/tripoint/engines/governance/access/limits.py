"""What a quota or budget may be: its limits, whose requests it is about, and the id that comes of that."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from hashlib import sha256

from tripoint.domain.errors import ConflictError, OptionError
from tripoint.domain.money import usd
from tripoint.domain.tenancy import Budget, Quota, Scope, Window
from tripoint.engines.governance.access.names import MAX_ID, good_id, good_name

MAX_RATE = 10**12
"""Highest limit of a quota: beyond anything, and safe in any arithmetic."""
MAX_LIMIT_NANO = 10**18
"""Highest limit of a budget, nano-dollars: a thousand million dollars."""

_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Limits of a quota; `None` where there is none."""

    requests_per_min: int | None = None
    """Requests started per minute."""
    tokens_per_min: int | None = None
    """Tokens per minute."""
    concurrency: int | None = None
    """Concurrent requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """The limit of a budget."""

    limit_nano: int
    """Most that may be spent in a window, nano-dollars."""
    window: Window
    """Over which time."""
    is_enforced: bool = True
    """False when it only warns."""


def quota_of(scope: Scope, rates: Rates, chosen: str) -> Quota:
    """The quota of a scope; `chosen` names it within the tenant, else the scope does.

    Raises `OptionError` for limits or names that cannot be.
    """
    _check_rates(rates)
    _check_workload(scope)
    return Quota(
        id=_limit_id(scope, scope_id(scope), chosen, "quota"),
        scope=scope,
        requests_per_min=rates.requests_per_min,
        tokens_per_min=rates.tokens_per_min,
        concurrency=rates.concurrency,
    )


def budget_of(scope: Scope, money: Money, chosen: str) -> Budget:
    """The budget of a scope and window; named and refused as a quota is."""
    if not 0 <= money.limit_nano <= MAX_LIMIT_NANO:
        raise OptionError(
            f"{usd(money.limit_nano):f} USD cannot be a budget: it is from 0 to {usd(MAX_LIMIT_NANO):,f} USD",
            hint="0 refuses everything that costs",
        )
    _check_workload(scope)
    return Budget(
        id=_limit_id(scope, f"{scope_id(scope)}.{money.window}", chosen, "budget"),
        scope=scope,
        window=money.window,
        limit_nano=money.limit_nano,
        is_enforced=money.is_enforced,
    )


def passed_on(row: Quota | Budget, new_key: str) -> Quota | Budget:
    """The same limit for the key that takes the place of the row's: whoever has it must not be rid of the limit."""
    scope = replace(row.scope, key=new_key)
    window = f".{row.window}" if isinstance(row, Budget) else ""
    if row.id == scope_id(row.scope) + window:
        return replace(row, id=scope_id(scope) + window, scope=scope)
    chosen = row.id.removeprefix(f"{scope.tenant}.").removesuffix(f"-{row.scope.key}")
    return replace(row, id=f"{scope.tenant}.{chosen[: MAX_ID - 1 - len(new_key)]}-{new_key}", scope=scope)


def scope_id(scope: Scope) -> str:
    """An id made from whose requests are meant: `acme`, `acme.key.k7…`, `acme.workload.chat`.

    The dots keep it apart from chosen ids; a workload whose name would not do in an address is told by a digest.
    """
    parts = [scope.tenant]
    if scope.key is not None:
        parts += ["key", scope.key]
    if scope.workload is not None:
        is_plain = _PLAIN.fullmatch(scope.workload)
        parts += ["workload", scope.workload if is_plain else sha256(scope.workload.encode()).hexdigest()[:12]]
    return ".".join(parts)


def scope_words(scope: Scope) -> str:
    """Whose requests are meant, for people."""
    parts = [f"tenant `{scope.tenant}`"]
    if scope.key is not None:
        parts.append(f"key `{scope.key}`")
    if scope.workload is not None:
        parts.append(f"workload `{scope.workload}`")
    return ", ".join(parts)


def refuse_another(before: Quota | Budget, row: Quota | Budget) -> None:
    """An id stays what it was about: else the past of one scope would become another's; raises `ConflictError`."""
    is_same = before.scope == row.scope
    if isinstance(before, Budget) and isinstance(row, Budget):
        is_same = is_same and before.window == row.window
    if not is_same:
        raise ConflictError(
            f"`{row.id}` is about {scope_words(before.scope)} already",
            hint="choose another id, or remove that one first",
        )


def _limit_id(scope: Scope, made: str, chosen: str, what: str) -> str:
    """The id of a limit: always named after its tenant, so that no tenant's choice touches another's."""
    if chosen in ("", made):
        return made
    return f"{scope.tenant}.{good_id(chosen.removeprefix(f'{scope.tenant}.'), what)}"


def _check_workload(scope: Scope) -> None:
    if scope.workload is not None:
        good_name(scope.workload, "workload")


def _check_rates(rates: Rates) -> None:
    limits = {
        "requests per minute": rates.requests_per_min,
        "tokens per minute": rates.tokens_per_min,
        "concurrency": rates.concurrency,
    }
    if all(limit is None for limit in limits.values()):
        raise OptionError("a quota without any limit limits nothing", hint=f"set {' or '.join(limits)}")
    for name, limit in limits.items():
        if limit is not None and not 0 <= limit <= MAX_RATE:
            raise OptionError(f"{name}: {limit:,} cannot be: it is from 0 to {MAX_RATE:,}", hint="0 refuses everything")
