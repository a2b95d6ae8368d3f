"""Price lists of a run, one small file each, in the order in which they came into force; never changed.

They are left by whoever compiles tables and read by whoever keeps the ledger, so that neither waits for the other.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from tripoint.adapters.atomic_file import write_text
from tripoint.domain.pricelist import PriceList

_END = "end"


def leave_price_list(folder: Path, prices: PriceList) -> Path:
    """Writes a list beside the earlier ones; raises `FileError` when the disk does not take it."""
    path = folder / f"{round(prices.at * 1000):015d}-{prices.version or _END}.json"
    write_text(path, msgspec.json.encode(prices).decode())
    return path


def drop_price_lists(folder: Path, before: float) -> int:
    """Removes lists that another replaced before that time, seconds since 1970; how many. Raises `OSError`.

    What is in force, and what was at that time or later, stays.
    """
    paths = sorted(folder.glob("[0-9]*.json"))
    begins = [int(path.name.partition("-")[0]) / 1000 for path in paths]
    gone = [path for path, replaced in zip(paths, begins[1:], strict=False) if replaced < before]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def read_price_lists(folder: Path) -> tuple[tuple[PriceList, ...], tuple[Path, ...]]:
    """All lists by time, and the files that are none; raises `OSError` when a file cannot be read."""
    found: list[PriceList] = []
    odd: list[Path] = []
    decode = msgspec.json.Decoder(PriceList).decode
    for path in sorted(folder.glob("[0-9]*.json")):
        try:
            found.append(decode(path.read_bytes()))
        except (msgspec.DecodeError, UnicodeDecodeError):
            odd.append(path)
    return tuple(found), tuple(odd)
