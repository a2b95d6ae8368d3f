"""Logs written for the tests: a Poisson stream of requests, and ways to put it on disk."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tripoint.adapters.demand_files import read_trace
from tripoint.domain.demand import DemandProfile
from tripoint.usecases.demand import FitOptions, fit_demand

START = 1_767_571_200.0
"""Monday 2026-01-05 00:00 UTC."""

Request = tuple[float, int, int]


def poisson(count: int = 3000, rate: float = 2.0, seed: int = 7) -> list[Request]:
    """Requests with exponential gaps of mean `1 / rate` seconds."""
    draw, at, rows = random.Random(seed), START, []
    for _ in range(count):
        at += draw.expovariate(rate)
        rows.append((round(at, 6), draw.randint(10, 2000), draw.randint(1, 500)))
    return rows


def csv_text(rows: Sequence[Sequence[object]], header: str = "timestamp,input_tokens,output_tokens") -> str:
    """CSV with a header."""
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def jsonl_text(rows: Sequence[Request]) -> str:
    """JSON lines as an OpenAI-like log writes them, usage nested."""
    lines = [{"created": at, "usage": {"prompt_tokens": given, "completion_tokens": made}} for at, given, made in rows]
    return "\n".join(json.dumps(line) for line in lines) + "\n"


def iso(at: float, pattern: str = "%Y-%m-%d %H:%M:%S.%f", hours: float = 0.0) -> str:
    """An instant as text, `hours` ahead of UTC."""
    return (datetime.fromtimestamp(at, UTC) + timedelta(hours=hours)).strftime(pattern)


def written(folder: Path, text: str | bytes, name: str = "log.csv") -> str:
    """Path of a new file; names ending in `.gz` are compressed."""
    path = folder / name
    content = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return str(path)


def fit(path: str, options: FitOptions | None = None) -> DemandProfile:
    """Profile of a file through the real reader."""
    return fit_demand(read_trace, path, options)


def figures(profile: DemandProfile) -> DemandProfile:
    """The profile without the words that name its file and tell how it was read."""
    return replace(profile, name="", source="", notes=(), dropped={})
