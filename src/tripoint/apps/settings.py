"""Settings of this machine, read once from `TRIPOINT_*`; never part of an estate, never a flag of one run."""

from __future__ import annotations

import datetime
import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tripoint.domain.errors import OptionError

PREFIX = "TRIPOINT_"
DEFAULT_THREADS = 2
DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "TRIPOINT_THREADS": "Threads of the solver; 2 when not set, so that machines of any size give the same plan.",
        "TRIPOINT_TODAY": "Date (YYYY-MM-DD) by which catalogue rows are judged stale; today when not set.",
        "TRIPOINT_STORE": "Store of accounts and ledger, `sqlite:///FILE` or `postgresql://...`; a file in this user's "
        "state when not set.",
        "TRIPOINT_PEPPER_FILE": "File with the key of the keyed hash kept of every API key; beside the store when not "
        "set.",
        "TRIPOINT_AUDIT_KEY_FILE": "File with the private key that signs checkpoints of the audit log; beside the "
        "store when not set.",
        "TRIPOINT_WITNESS": "File, best on another machine, to which signed checkpoints of the audit log are added.",
    }
)
"""Every setting and what it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What this machine says."""

    threads: int
    """Threads of the solver."""
    today: datetime.date
    """Date by which catalogue rows are judged stale."""
    store: str
    """URL of the store; empty when it is the one `store_url` gives."""
    pepper_file: str
    """File of the pepper; empty when it is beside the store."""
    audit_key_file: str
    """File of the signing key; empty when it is beside the store."""
    witness: str
    """File for checkpoints; empty when there is none."""


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force.

    Raises `OptionError` naming the variable, what it holds and what it may hold.
    """
    return Settings(
        threads=_threads(environment),
        today=_today(environment),
        store=environment.get("TRIPOINT_STORE", "").strip(),
        pepper_file=environment.get("TRIPOINT_PEPPER_FILE", "").strip(),
        audit_key_file=environment.get("TRIPOINT_AUDIT_KEY_FILE", "").strip(),
        witness=environment.get("TRIPOINT_WITNESS", "").strip(),
    )


def state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where this user's programs keep their state (XDG base directories)."""
    root = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(root) / "tripoint"


def store_url(settings: Settings, environment: Mapping[str, str] = os.environ) -> str:
    """The store in force; when none is set, that of a gateway that was started without saying where."""
    return settings.store or f"sqlite:///{state_folder(environment) / 'serve-127.0.0.1-8080' / 'store.db'}"


def unknown_settings(environment: Mapping[str, str] = os.environ) -> tuple[tuple[str, str], ...]:
    """Variables that start like a setting but are none, each with the nearest known name or nothing."""
    unknown = sorted(name for name in environment if name.startswith(PREFIX) and name not in DESCRIPTIONS)
    return tuple((name, next(iter(difflib.get_close_matches(name, DESCRIPTIONS, n=1)), "")) for name in unknown)


def without_password(url: str) -> str:
    """A store's URL as it may be shown."""
    return re.sub(r"(://[^/@:]*):[^@]*@", r"\1@", url)


def _threads(environment: Mapping[str, str]) -> int:
    text = environment.get("TRIPOINT_THREADS", "").strip()
    if not text:
        return DEFAULT_THREADS
    if not text.isdigit() or int(text) < 1:
        raise OptionError(
            f"`TRIPOINT_THREADS` is `{text}`, not a whole number of at least 1",
            hint="unset it to use 2",
        )
    return int(text)


def _today(environment: Mapping[str, str]) -> datetime.date:
    text = environment.get("TRIPOINT_TODAY", "").strip()
    if not text:
        return datetime.date.today()
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        message = f"`TRIPOINT_TODAY` is `{text}`, not a date"
        raise OptionError(message, hint="write it as YYYY-MM-DD, or unset it") from None
