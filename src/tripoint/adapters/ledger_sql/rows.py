"""Rows of the entry table: what a usage record or an adjustment becomes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from tripoint.adapters.ledger_sql.names import NO_MANNER, Names
from tripoint.adapters.ledger_sql.schema import Detail
from tripoint.adapters.record_batch import LineKey
from tripoint.domain.ledger import Adjustment, EntryKind
from tripoint.domain.record import UsageRecord, portions

EntryRow = tuple[Any, ...]
"""Values in the order of `ENTRY_COLUMNS`."""
_USAGE = str(EntryKind.USAGE)
_encode = msgspec.msgpack.Encoder().encode


def usage_rows(names: Names, records: Iterable[UsageRecord]) -> list[EntryRow]:
    """A row for each record, and one more for each further upstream that billed for it."""
    rows: list[EntryRow] = []
    add, line_of, manner_of, lines, manners = rows.append, names.line, names.manner, names.lines.get, names.manners.get
    encode = _encode
    number = names.next_entry
    for r in records:
        (
            id, at, tenant, key, workload, model, api, site, upstream, status, ending, error, is_stream, usage,
            ttft_s, tpot_s, total_s, own_s, reason, nano, list_nano, marginal_nano, tariff, prices, trace_id,
            attempts, billed,
        ) = r  # fmt: skip
        tokens_in, tokens_out, cached, reasoning, is_estimated = usage
        at_us = round(at * 1e6)
        if billed:
            first = portions(r)
            if upstream:
                nano, list_nano, marginal_nano = first[0].nano, first[0].list_nano, first[0].marginal_nano
            else:
                nano = list_nano = marginal_nano = 0
        line = (_USAGE, tenant, key, workload, model, site, upstream, tariff, prices)
        manner = (api, status, ending, error, is_stream, reason, is_estimated)
        add((
            id, at_us, lines(line) or line_of(line), manners(manner) or manner_of(manner), 1,
            tokens_in, cached, tokens_out, reasoning, nano, list_nano, marginal_nano,
            encode((ttft_s, tpot_s, total_s, own_s, trace_id, attempts, "", None)), number,
        ))  # fmt: skip
        number += 1
        if billed:
            rows += _billed_rows(names, r, at_us, number)
            number += len(billed)
    names.next_entry = number
    return rows


def _billed_rows(names: Names, record: UsageRecord, at_us: int, first: int) -> Iterator[EntryRow]:
    for number, bill in enumerate(record.billed, 1):
        line: LineKey = (
            _USAGE, record.tenant, record.key, record.workload, bill.model, bill.site, bill.upstream, bill.tariff,
            bill.prices,
        )  # fmt: skip
        usage = bill.usage
        manner = (record.api, record.status, record.ending, record.error, record.is_stream, record.reason,
                  usage.is_estimated)  # fmt: skip
        yield (
            f"{record.id}/{number}", at_us, names.line(line), names.manner(manner), 0,
            usage.tokens_in, usage.cached, usage.tokens_out, usage.reasoning, bill.nano, bill.list_nano,
            bill.marginal_nano, _encode(Detail(trace_id=record.trace_id)), first + number - 1,
        )  # fmt: skip


def adjustment_rows(names: Names, adjustments: Iterable[Adjustment]) -> list[EntryRow]:
    """A row for each adjustment."""
    rows: list[EntryRow] = []
    for each in adjustments:
        line: LineKey = (
            each.kind,
            each.tenant,
            each.key,
            each.workload,
            each.model,
            each.site,
            each.upstream,
            "",
            each.prices,
        )
        rows.append((
            each.id, round(each.at * 1e6), names.line(line), names.manner(NO_MANNER), 0,
            each.tokens_in, 0, each.tokens_out, 0, each.nano, each.list_nano, 0,
            _encode(Detail(corrects=each.corrects, note=each.reason)), names.next_entry + len(rows),
        ))  # fmt: skip
    names.next_entry += len(rows)
    return rows
