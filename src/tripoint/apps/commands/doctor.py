"""`tripoint doctor`: whether this installation can do its work, and what is in force."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
from dataclasses import asdict, dataclass

import click

from tripoint.apps import wiring
from tripoint.apps.answer import Answer, answering, plural
from tripoint.apps.settings import DESCRIPTIONS, read_settings, store_url, unknown_settings, without_password
from tripoint.domain.errors import TripointError

LIBRARIES = (
    "click", "cryptography", "highspy", "httptools", "msgspec", "numpy", "pydantic", "pyyaml", "rich", "uvloop"
)  # fmt: skip
EXTRAS = {"demand": "duckdb", "admin": "joserfc", "postgres": "psycopg", "local": "xllamacpp", "ray": "ray"}
"""A library of each extra for users, by which it is known."""
OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at."""

    name: str
    """What was looked at."""
    state: str
    """`ok`, `missing` (an extra, which is no failure), `note` or `failed`."""
    told: str
    """What was found, and what to do."""


@click.command()
@answering
def command() -> Answer:
    """Check whether this installation can do its work.

    Looks at Python, the libraries and extras, the solver, the catalogue's age and the settings in force. Ends with
    exit code 1 when something is not in order.

    For example: tripoint doctor
    """
    checks = [_python(), *_libraries(), *_extras(), _solver(), *_catalogue(), *_settings()]
    width = max(len(check.name) for check in checks)
    lines = [f"{check.state:<8}{check.name:<{width}}  {check.told}" for check in checks]
    return Answer(
        text="\n".join(lines),
        payload={"checks": [asdict(check) for check in checks]},
        ok=all(check.state != "failed" for check in checks),
    )


def _python() -> Check:
    is_new = sys.version_info[:2] >= OLDEST_PYTHON
    told = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Check(name="python", state="ok" if is_new else "failed", told=told if is_new else f"{told}; 3.11 is needed")


def _libraries() -> list[Check]:
    found = [(name, _version(name)) for name in ("tripoint", *LIBRARIES)]
    return [
        Check(name=name, state="ok" if version else "failed", told=version or "not installed; reinstall tripoint")
        for name, version in found
    ]


def _extras() -> list[Check]:
    checks = []
    for extra, name in EXTRAS.items():
        version = _version(name)
        hint = f"not installed; pip install 'tripoint[{extra}]'"
        checks.append(
            Check(
                name=f"extra {extra}",
                state="ok" if version else "missing",
                told=f"{name} {version}" if version else hint,
            )
        )
    return checks


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _solver() -> Check:
    try:
        answers = wiring.solver_answers()
    except (TripointError, ImportError, OSError) as error:
        return Check(name="solver", state="failed", told=f"HiGHS does not run: {error}")
    told = "HiGHS solved a small program" if answers else "HiGHS gave a wrong answer to a small program"
    return Check(name="solver", state="ok" if answers else "failed", told=told)


def _catalogue() -> list[Check]:
    try:
        today = read_settings().today
        ages = wiring.catalogue_ages(today)
    except TripointError as error:
        return [Check(name="catalogue", state="failed", told=error.message)]
    told = f"{plural(ages.rows, 'row')}, newest of {ages.as_of}, {ages.digest[:19]}"
    stale = f"{plural(ages.stale, 'row')} older than 180 days on {today}, {ages.weak:,} recalled or estimated"
    return [
        Check(name="catalogue", state="ok", told=told),
        Check(name="catalogue age", state="note" if ages.stale else "ok", told=stale),
    ]


def _settings() -> list[Check]:
    try:
        settings = read_settings()
    except TripointError as error:
        return [Check(name="settings", state="failed", told=f"{error.message}; {error.hint}")]
    values = {
        "TRIPOINT_THREADS": str(settings.threads),
        "TRIPOINT_TODAY": settings.today.isoformat(),
        "TRIPOINT_STORE": without_password(store_url(settings)),
        "TRIPOINT_PEPPER_FILE": settings.pepper_file or "beside the store",
        "TRIPOINT_AUDIT_KEY_FILE": settings.audit_key_file or "beside the store",
        "TRIPOINT_WITNESS": settings.witness or "none",
    }
    checks = [
        Check(name=name, state="ok", told=f"{values[name]} ({'environment' if os.environ.get(name) else 'default'})")
        for name in DESCRIPTIONS
    ]
    for name, near in unknown_settings():
        meant = f"; did you mean {near}?" if near else ""
        checks.append(Check(name=name, state="note", told=f"is not a setting of tripoint{meant}"))
    return checks
