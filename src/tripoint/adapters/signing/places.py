"""Where the secrets of a store are: beside its file, or in this user's state for a server's."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

_SQLITE = "sqlite:///"


def beside_store(url: str, ending: str, state: Path) -> Path:
    """The file with that ending for the store at `url`; `state` holds those of stores on servers."""
    if url.startswith(("postgresql://", "postgres://")):
        parts = urlsplit(url)
        name = f"{parts.hostname or ''}:{parts.port or 5432}{parts.path}"
        return state / f"postgres-{hashlib.sha256(name.encode()).hexdigest()[:12]}.{ending}"
    path = Path(url.removeprefix(_SQLITE))
    return path.with_name(f"{path.name}.{ending}")
