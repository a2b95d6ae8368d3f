"""What dead workers left: what they had reserved and never recorded is held as spent, the rest comes back at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tripoint.apps import stores
from tripoint.domain.errors import StoreError
from tripoint.domain.ledger import Adjustment, EntryKind

if TYPE_CHECKING:
    from tripoint.adapters.lease_sheet import DeadSheet, Payer, SheetRow
    from tripoint.adapters.leases_sql.store import SqlLeases
    from tripoint.adapters.segment_tail import SegmentTail
    from tripoint.ports import Ledger

_LOST = "its worker died before the request was recorded: the most it can have cost"


class Graves:
    """Buries the dead, one after the other, once all they recorded is loaded; for the loader's thread."""

    def __init__(self, folder: Path, open_leases: Callable[[], SqlLeases], note: Callable[[str], None]) -> None:
        self._folder = folder
        self._open = open_leases
        self._note = note
        self._leases: SqlLeases | None = None

    def between_rounds(self, ledger: Ledger, tail: SegmentTail) -> None:
        """Does what is due. Raises `StoreError` and `OSError`; what was done is not done again then."""
        for sheet in stores.dead_sheets(self._folder):
            if not tail.is_drained(sheet.incarnation):
                sheet.close()
                continue
            try:
                self._bury(sheet, ledger)
            except (StoreError, OSError):
                sheet.close()
                self.close()
                raise
            sheet.remove()

    def close(self) -> None:
        """Lets go of the store."""
        if self._leases is not None:
            self._leases.close()
            self._leases = None

    def _bury(self, sheet: DeadSheet, ledger: Ledger) -> None:
        rows = sheet.rows()
        if rows is None:
            told = "is of before this machine started: what it had leased stays reserved until its window ends"
            self._note(f"the sheet of worker {sheet.incarnation} {told}")
            return
        known = ledger.known([row.request for row in rows])
        lost = [row for row in rows if row.request not in known]
        named = [_unconfirmed(row, row.payer) for row in lost if row.payer is not None]
        if named:
            ledger.load((), named, holder=sheet.incarnation)
            self._note(f"worker {sheet.incarnation} died: {len(named)} requests under way are held as spent")
        if len(named) < len(lost):
            self._note(
                f"worker {sheet.incarnation} died: its slices stay reserved, {len(lost) - len(named)} are unnamed"
            )
            return
        if self._leases is None:
            self._leases = self._open()
        self._leases.bury(sheet.incarnation)


def _unconfirmed(row: SheetRow, payer: Payer) -> Adjustment:
    return Adjustment(
        id=f"unconfirmed:{row.request}",
        kind=EntryKind.UNCONFIRMED,
        at=row.at,
        tenant=payer.tenant,
        key=payer.key,
        workload=payer.workload,
        model="",
        site="",
        upstream="",
        nano=row.nano,
        list_nano=row.nano,
        tokens_in=0,
        tokens_out=0,
        prices="",
        corrects="",
        reason=_LOST,
    )
