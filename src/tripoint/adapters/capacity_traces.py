"""Traces of capacity that comes and goes, such as those of spot markets: JSON as SkyPilot has it, or tables.

A table (CSV, gzipped or not, or Parquet with the extra `demand`) has a row per step of each series: `value` is what
was there, `gap_seconds` how long a step lasts, `step` their order, `nodes` how many were asked for. Every other column,
such as `zone` or `accelerator`, tells series apart.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tripoint.adapters.demand_files.session import open_session
from tripoint.domain.findings import did_you_mean
from tripoint.domain.scenario import CapacityTrace

_MOST_BYTES: Final = 50_000_000
_MEMORY_MB: Final = 512
_VALUE, _GAP, _STEP, _NODES = "value", "gap_seconds", "step", "nodes"
_MEASURES: Final = (_VALUE, _GAP, _STEP, _NODES)
_NAMED: Final = 6
"""Series a refusal names."""


def read_capacity_traces(path: Path, wanted: str = "") -> tuple[CapacityTrace, ...]:
    """Every series of a file, or those that all the comma-separated words of `wanted` name.

    Raises `ValueError` for what is no such file, `OSError` where it cannot be read, `MissingExtraError` for Parquet
    without DuckDB.
    """
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"it is larger than {_MOST_BYTES / 1e6:g} MB")
    kind = "".join(path.suffixes[-2:]).lower()
    if kind.endswith(".parquet"):
        found = _series(_parquet_rows(path))
    elif kind.endswith((".csv", ".csv.gz")):
        found = _series(_csv_rows(path))
    else:
        found = [_sky(path)]
    return _chosen(found, wanted)


def located(folder: Path, said: str) -> tuple[Path, str]:
    """File and wanted series of `FILE#WORD,WORD`; a sign that belongs to the file's name stays there."""
    name, sign, wanted = said.rpartition("#")
    if not sign or (folder / said).exists():
        return folder / said, ""
    return folder / name, wanted


def _chosen(found: Sequence[CapacityTrace], wanted: str) -> tuple[CapacityTrace, ...]:
    words = [word.strip() for word in wanted.split(",") if word.strip()]
    chosen = tuple(each for each in found if set(words) <= set(each.name.split()))
    if chosen:
        return chosen
    names = ", ".join(f"`{each.name}`" for each in found[:_NAMED]) + (", ..." if len(found) > _NAMED else "")
    known = dict.fromkeys(word for each in found for word in each.name.split())
    near = next((hint for word in words if word not in known and (hint := did_you_mean(word, known))), "")
    raise ValueError(f"no series is called `{wanted}`; {near or f'it has {names}'}")


def _sky(path: Path) -> CapacityTrace:
    """A trace as SkyPilot writes it."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("metadata"), dict):
        raise ValueError("it expects a mapping with `metadata` and `data`")
    gap, steps = content["metadata"].get("gap_seconds"), content.get("data")
    if not _is_amount(gap) or not gap or not isinstance(steps, list) or not steps or not all(map(_is_amount, steps)):
        raise ValueError("it expects `metadata.gap_seconds` above 0 and `data`, a list of numbers of 0 and more")
    return _trace(path.stem, float(gap), steps, max(steps))


def _csv_rows(path: Path) -> Iterable[Mapping[str, Any]]:
    content = path.read_bytes()
    if path.suffix == ".gz":
        try:
            content = gzip.GzipFile(fileobj=io.BytesIO(content)).read(_MOST_BYTES + 1)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"it is not a whole gzip file: {error}") from error
    if len(content) > _MOST_BYTES:
        raise ValueError(f"unpacked it is larger than {_MOST_BYTES / 1e6:g} MB")
    try:
        return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
    except csv.Error as error:
        raise ValueError(f"it is not CSV: {error}") from error


def _parquet_rows(path: Path) -> Iterable[Mapping[str, Any]]:
    with open_session(_MEMORY_MB, str(path)) as session:
        file = session.readable(path)
        names = [str(row[0]) for row in session.rows("DESCRIBE SELECT * FROM read_parquet(?)", [file])]
        for row in session.rows("SELECT * FROM read_parquet(?)", [file]):
            yield dict(zip(names, row, strict=True))


def _series(rows: Iterable[Mapping[str, Any]]) -> list[CapacityTrace]:
    """Series in the order they first appear."""
    by_name: dict[tuple[str, ...], list[tuple[float, float, float, float]]] = {}
    for number, row in enumerate(rows):
        if not number and (missing := [name for name in (_VALUE, _GAP) if name not in row]):
            raise ValueError(f"it has no column `{missing[0]}`; a table has `{_VALUE}` and `{_GAP}` in every row")
        name = tuple("-".join(str(value).split()) for column, value in row.items() if column not in _MEASURES)
        told = (row.get(_STEP, number), row[_VALUE], row[_GAP], row.get(_NODES, 0))
        try:
            step, value, gap, nodes = (float(each) for each in told)
        except (TypeError, ValueError) as error:
            raise ValueError(f"row {number + 1} holds something that is not a number") from error
        if not (_is_amount(value) and _is_amount(nodes) and 0.0 < gap < math.inf):
            raise ValueError(f"row {number + 1} expects `{_VALUE}` of 0 and more and `{_GAP}` above 0")
        by_name.setdefault(name, []).append((step, value, gap, nodes))
    if not by_name:
        raise ValueError("it has no rows")
    return [_tabled(" ".join(name), sorted(steps, key=lambda each: each[0])) for name, steps in by_name.items()]


def _tabled(name: str, steps: Sequence[tuple[float, float, float, float]]) -> CapacityTrace:
    gaps = {gap for _, _, gap, _ in steps}
    if len(gaps) > 1:
        raise ValueError(
            f"steps of `{name}` last {min(gaps):g} s and {max(gaps):g} s: a series has steps of one length"
        )
    values = [value for _, value, _, _ in steps]
    return _trace(name, gaps.pop(), values, max(max(nodes for *_, nodes in steps), max(values)))


def _trace(name: str, gap_s: float, steps: Sequence[float], most: float) -> CapacityTrace:
    """Steps as stretches in which the same is left."""
    if not most:
        raise ValueError(f"there is never any capacity in `{name}`")
    seconds: list[float] = []
    left: list[float] = []
    for step in steps:
        share = float(step / most)
        if left and left[-1] == share:
            seconds[-1] += gap_s
        else:
            seconds.append(gap_s)
            left.append(share)
    return CapacityTrace(name=name, seconds=tuple(seconds), left=tuple(left))


def _is_amount(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf
