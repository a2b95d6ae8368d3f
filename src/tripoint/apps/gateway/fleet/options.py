"""What `tripoint serve` was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tripoint.apps.gateway.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Options of one run."""

    estate: str
    """The estate, a file or a folder."""
    plan: str | None = None
    """The plan, a `plan.json` or its folder; none when absent."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8080
    """Port to listen on; a free one for 0."""
    workers: int = 1
    """Worker processes."""
    run_dir: Path
    """Where usage records, counters and the table are kept."""
    store: str = ""
    """URL of the store that usage is entered in; records stay on disk when empty."""
    is_durable: bool = False
    """True to end an answer only once its record is synced."""
    access_log: str = ""
    """File of access lines, `-` for standard output; none when empty."""
    tls_cert: str = ""
    """Certificate chain, PEM; plain HTTP when empty."""
    tls_key: str = ""
    """Its key, PEM; in the same file when empty."""
    convention: str = ""
    """Version of OpenTelemetry's conventions that access lines and metrics follow; our own names, beside those of the
    latest, when empty."""
    drain_s: float = 30.0
    """Longest a worker may take to finish what is under way, s."""
    is_watching: bool = False
    """True to reload when a file of the estate or the plan changes."""
    limits: Limits = field(default_factory=Limits)
    """Limits of each worker's connections."""
