"""What a worker has reserved is still told after kill -9 of it, and of nobody who lives."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tripoint.adapters.lease_sheet import LeaseSheet, Payer, SheetRow, dead_sheets

ID = "0123456789abcdef-1f"
ACME = Payer("acme", "k1", "chat")
WORKER = """
import os, sys
from pathlib import Path
from tripoint.adapters.lease_sheet import LeaseSheet
sheet = LeaseSheet(Path(sys.argv[1]), "cafe")
payer = sheet.payer("acme", "k1", "chat")
rows = [sheet.open(f"request-{number:x}", 100.0 + number, 1000 * number, payer) for number in range(5)]
sheet.settle(rows[0], 7)
sheet.settle(rows[1], 8)
sheet.recorded(2, is_lost=False)
sheet.safe(1)
sheet.settle(rows[2], 9)
sheet.recorded(3, is_lost=False)
sheet.safe(2)
sheet.amend(rows[3], 4000)
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_killed_workers_sheet_has_what_was_not_recorded(tmp_path: Path) -> None:
    """While it lives nobody may read it; rows whose records were safe are gone, the others have their latest sums."""
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"ready\n"
    assert dead_sheets(tmp_path) == []
    os.kill(worker.pid, signal.SIGKILL)
    worker.communicate()
    (dead,) = dead_sheets(tmp_path)
    assert dead.incarnation == "cafe"
    assert dead.rows() == [
        SheetRow("request-2", 102.0, 9, ACME),
        SheetRow("request-3", 103.0, 4000, ACME),
        SheetRow("request-4", 104.0, 4000, ACME),
    ]
    dead.close()
    (again,) = dead_sheets(tmp_path)
    again.remove()
    assert dead_sheets(tmp_path) == []


def one(folder: Path) -> tuple[LeaseSheet, int]:
    """A sheet with a payer."""
    sheet = LeaseSheet(folder, "beef")
    return sheet, sheet.payer(*ACME)


def rows_after(sheet: LeaseSheet, folder: Path) -> list[SheetRow] | None:
    """What is told once its worker is gone."""
    sheet.close()
    (dead,) = dead_sheets(folder)
    found = dead.rows()
    dead.close()
    return found


def test_rows_are_used_again_and_run_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than there is room for cannot be reserved."""
    sheet, payer = one(tmp_path)
    taken = [sheet.open(ID, 1.0, 5, payer) for _ in range(len(sheet._free))]
    assert len(set(taken)) == len(taken)
    assert sheet.open(ID, 1.0, 5, payer) == -1
    sheet.settle(taken[0], 3)
    sheet.recorded(1, is_lost=False)
    sheet.safe(0)
    assert sheet.open(ID, 1.0, 5, payer) == -1
    sheet.safe(1)
    assert sheet.open(ID, 1.0, 5, payer) == taken[0]
    sheet.close()


def test_what_the_disk_lost_stays_in_the_sheet(tmp_path: Path) -> None:
    """Its record will never come: the row is all that is known of it."""
    sheet, payer = one(tmp_path)
    sheet.settle(sheet.open(ID, 1.0, 50, payer), 20)
    sheet.recorded(0, is_lost=True)
    sheet.safe(100)
    assert rows_after(sheet, tmp_path) == [SheetRow(ID, 1.0, 20, ACME)]


def test_a_sheet_of_before_the_machine_started_tells_nothing(tmp_path: Path) -> None:
    """Nothing in it was ever synced; what was leased stays reserved then."""
    sheet, payer = one(tmp_path)
    sheet.open(ID, 1.0, 50, payer)
    sheet._memory[64:72] = b"another!"
    assert rows_after(sheet, tmp_path) is None


def test_names_that_find_no_room_are_told_as_unknown(tmp_path: Path) -> None:
    """The sum counts all the same."""
    sheet, _ = one(tmp_path)
    payer = 0
    for number in range(300):
        payer = sheet.payer("t" * 4000, "k", f"w{number}")
    sheet.open(ID, 1.0, 50, payer)
    assert rows_after(sheet, tmp_path) == [SheetRow(ID, 1.0, 50, None)]


def test_a_full_disk_is_told_when_the_sheet_is_made(tmp_path: Path) -> None:
    """Not by a signal in the middle of a request; and nothing half-made is left."""
    script = "import resource, sys; from pathlib import Path\nfrom tripoint.adapters.lease_sheet import LeaseSheet\n"
    script += f"resource.setrlimit(resource.RLIMIT_FSIZE, (4096, {resource.RLIM_INFINITY}))\n"
    script += "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    script += (
        "try:\n    LeaseSheet(Path(sys.argv[1]), 'dead')\nexcept OSError as error:\n    print(type(error).__name__)"
    )
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert run.stdout == "OSError\n"
    assert list(tmp_path.iterdir()) == []
