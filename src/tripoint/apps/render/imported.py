"""What an import took and dropped: as text, as JSON, and the price sheet itself as a part of an estate."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from tripoint.domain.purchase import OwnPrice
from tripoint.domain.quote import BillReading, CommitmentUse, Dropped, ImportedSheet, Leaving, Taken

MOST_EXAMPLES: Final = 3
"""Examples shown of what was dropped for one reason."""
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WORDS: Final = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))
"""What YAML takes for something else than a text."""
_FIELDS: Final = (
    "provider", "sku", "region", "option", "usd_per_hour", "usd_in_per_mtok", "usd_out_per_mtok", "usd_cached_per_mtok",
)  # fmt: skip


def import_text(sheet: ImportedSheet, bill: BillReading | None, limit: int) -> str:
    """What was taken, what was dropped and why, for a person; at most `limit` lines of each, all for 0."""
    took = sum(taken.rows for taken in sheet.taken)
    lines = [
        f"read {sheet.read:,} prices, took {took:,} into {len(sheet.taken):,} lines, dropped {sheet.read - took:,}"
    ]
    if not sheet.read:
        lines.append("nothing to take: the file has no row below its header, or no entry; check what was exported")
    lines += ["", "taken", *_clipped([_taken_text(taken) for taken in sheet.taken], limit)] if sheet.taken else []
    lines += ["", "dropped", *_clipped([_dropped_text(each) for each in sheet.dropped], limit)] if sheet.dropped else []
    lines += ["", "look at", *_clipped([f"  {doubt}" for doubt in sheet.doubts], limit)] if sheet.doubts else []
    if bill is not None:
        committed = [_commitment_text(use) for use in bill.commitments]
        lines += ["", "committed", *_clipped(committed, limit)] if committed else []
        leaving = [_leaving_text(each) for each in bill.leaving]
        lines += ["", "leaves", *_clipped(leaving, limit)] if leaving else []
    return "\n".join(lines)


def import_payload(sheet: ImportedSheet, bill: BillReading | None) -> dict[str, Any]:
    """The same for a machine; money as text, exact."""
    payload: dict[str, Any] = {
        "read": sheet.read,
        "taken": [
            {**line_fields(taken.line), "rows": taken.rows, "first": taken.first, "note": taken.note}
            for taken in sheet.taken
        ],
        "dropped": [
            {
                "reason": each.reason,
                "rows": each.rows,
                "first": each.first,
                "examples": [{"says": says, "rows": rows} for says, rows in each.examples],
                "cost": {currency: amount_text(amount) for currency, amount in each.cost},
            }
            for each in sheet.dropped
        ],
        "doubts": list(sheet.doubts),
    }
    if bill is not None:
        payload["commitments"] = [_commitment_payload(use) for use in bill.commitments]
        payload["leaving"] = [
            {**each._asdict(), "gb": amount_text(each.gb), "usd": amount_text(each.usd)} for each in bill.leaving
        ]
    return payload


def sheet_yaml(taken: Iterable[Taken], origin: str) -> str:
    """The lines as a file of an estate; `origin` says where they come from."""
    rows = [f"  - {{{', '.join(_pairs(each.line))}}}{_comment(each)}" for each in taken]
    return "\n".join([f"# {' '.join(origin.split())}", "prices:", *rows, ""])


def line_fields(line: OwnPrice) -> dict[str, Any]:
    """The declared fields of a line."""
    values = {name: getattr(line, name) for name in _FIELDS}
    return {name: str(value) if name == "option" else value for name, value in values.items() if value is not None}


def scalar(value: object) -> str:
    """A text or a number as YAML reads it back; floats without exponent, which YAML 1.1 takes for text."""
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"
    text = str(value)
    is_plain = _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS
    return text if is_plain or isinstance(value, int) else json.dumps(text, ensure_ascii=False)


def amount_text(amount: Decimal) -> str:
    """An exact amount without exponent and without trailing zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


def _pairs(line: OwnPrice) -> Iterator[str]:
    for name, value in line_fields(line).items():
        yield f"{name}: {scalar(value)}"


def _comment(taken: Taken) -> str:
    return f"  # {' '.join(taken.note.split())}" if taken.note else ""


def _clipped(lines: list[str], limit: int) -> list[str]:
    if not limit or len(lines) <= limit:
        return lines
    return [*lines[:limit], f"  ... {len(lines) - limit:,} more; `--limit 0` shows all"]


def _taken_text(taken: Taken) -> str:
    line = taken.line
    if line.is_per_token:
        cached = "" if line.usd_cached_per_mtok is None else f", cached {line.usd_cached_per_mtok:g}"
        price = f"{line.usd_in_per_mtok:g} in, {line.usd_out_per_mtok:g} out{cached} USD/Mtok"
    else:
        price = f"{line.usd_per_hour:g} USD/h"
    where = " ".join(str(part) for part in (line.provider, line.sku, line.region, line.option) if part)
    return f"  {where}: {price}{f'  ({taken.note})' if taken.note else ''}"


def _dropped_text(each: Dropped) -> str:
    cost = ", ".join(f"{amount_text(round(amount, 6))} {currency}" for currency, amount in each.cost)
    told = "; ".join(says if rows == 1 else f"{says} x {rows:,}" for says, rows in each.examples[:MOST_EXAMPLES])
    more = f"; {len(each.examples) - MOST_EXAMPLES:,} more" if len(each.examples) > MOST_EXAMPLES else ""
    return f"  {each.rows:,} x {each.reason}{f' ({cost})' if cost else ''}, first at {each.first:,}\n      {told}{more}"


def _commitment_text(use: CommitmentUse) -> str:
    share = f"use not known: {why_not_known(use)}"
    if use.utilisation is not None:
        share = f"{use.utilisation:.1%} of {amount_text(round(use.used_usd + use.unused_usd, 2))} USD used"
    nodes = f", {', '.join(use.node_types)}" if use.node_types else ""
    return f"  {use.type or 'commitment'} {use.id} ({use.provider} {', '.join(use.regions)}{nodes}): {share}"


def why_not_known(use: CommitmentUse) -> str:
    """Why nobody can say how much of a commitment was used."""
    return "its effective cost is 0" if use.has_effective else "the bill gives no effective cost"


def _commitment_payload(use: CommitmentUse) -> dict[str, Any]:
    share = use.utilisation
    return {
        "id": use.id,
        "type": use.type,
        "category": use.category,
        "provider": use.provider,
        "regions": list(use.regions),
        "node_types": list(use.node_types),
        "used_usd": amount_text(use.used_usd),
        "unused_usd": amount_text(use.unused_usd),
        "utilisation": None if share is None else float(round(share, 6)),
        "used_hours": amount_text(use.used_hours),
        "rows": use.rows,
    }


def _leaving_text(each: Leaving) -> str:
    gb, usd = amount_text(round(each.gb, 3)), amount_text(round(each.usd, 2))
    return f"  {each.provider} {each.region} {each.path}: {gb} GB, {usd} USD"
