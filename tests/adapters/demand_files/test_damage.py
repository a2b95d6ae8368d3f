"""Damaged and odd logs: refused with a way out, or used with the loss counted; never guessed."""

from __future__ import annotations

import gzip
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from tests.adapters.demand_files.logs import START, csv_text, figures, fit, iso, poisson, written

from tripoint.adapters.demand_files import session as sessions
from tripoint.domain.errors import FileError, MissingExtraError, OptionError, TripointError
from tripoint.usecases.demand import FitOptions

pytest.importorskip("duckdb", reason="the extra `demand` is not installed")


def test_shuffled_rows_give_the_same_profile(tmp_path: Path) -> None:
    """Order in the file carries no figure; that it was odd is told."""
    rows = poisson(2000)
    mixed = random.Random(3).sample(rows, len(rows))
    wanted, profile = fit(written(tmp_path, csv_text(rows))), fit(written(tmp_path, csv_text(mixed), "mixed.csv"))
    assert figures(profile) == figures(wanted)
    assert any("rows are earlier than the row before" in note for note in profile.notes)
    assert not any("earlier" in note for note in wanted.notes)


def test_a_clock_that_jumps_back_is_told_with_how_far(tmp_path: Path) -> None:
    """The rows are kept and sorted; the jump is not repaired in silence."""
    rows = poisson(500)
    late = [(at - 3600, given, made) for at, given, made in rows[250:]]
    profile = fit(written(tmp_path, csv_text([*rows[:250], *late])))
    assert profile.rows == 500
    assert any("1 of them by more than 60 s" in note and "by up to 60 min" in note for note in profile.notes)


def test_a_truncated_gzip_is_refused(tmp_path: Path) -> None:
    """Half a download gives no profile."""
    whole = gzip.compress(csv_text(poisson(2000)).encode())
    path = tmp_path / "log.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match=r"`log\.csv\.gz` is truncated") as told:
        fit(str(path))
    assert "download" in told.value.hint


def test_a_flipped_byte_in_gzip_is_refused(tmp_path: Path) -> None:
    """Checksums are verified."""
    broken = bytearray(gzip.compress(csv_text(poisson(2000)).encode()))
    broken[-6] ^= 0xFF
    path = tmp_path / "log.csv.gz"
    path.write_bytes(bytes(broken))
    with pytest.raises(FileError, match=r"`log\.csv\.gz` is damaged"):
        fit(str(path))


def test_duplicated_rows_are_dropped_once_each(tmp_path: Path) -> None:
    """A log concatenated with part of itself gives the profile of the log."""
    rows = poisson(1000)
    wanted = fit(written(tmp_path, csv_text(rows)))
    profile = fit(written(tmp_path, csv_text([*rows, *rows[:100], *rows[:50]]), "twice.csv"))
    assert profile.dropped == {"duplicate row": 150}
    assert figures(profile) == figures(wanted)


def test_equal_rows_of_a_coarse_clock_are_kept_and_told(tmp_path: Path) -> None:
    """Two equal requests within one second are likely; tripoint does not take them away."""
    rows = [(int(START) + k // 4, 10, 5) for k in range(200)]
    profile = fit(written(tmp_path, csv_text(rows)))
    assert (profile.rows, profile.dropped) == (200, {})
    assert any("150 rows are identical in every column" in note and "kept" in note for note in profile.notes)


def test_every_bad_row_is_counted_for_its_reason(tmp_path: Path) -> None:
    """Mixed types, missing, negative and absurd values, short and long rows."""
    bad = [
        "yesterday,10,5", ",10,5", "-5,10,5", f"{START},ten,5", f"{START},nan,5", f"{START},,5", f"{START},10,",
        f"{START},-1,5", f"{START},10,-2", f"{START},1e12,5", f"{START},10", f"{START},10,5,extra",
        f"{START},{'9' * 400},5",
    ]  # fmt: skip
    profile = fit(written(tmp_path, csv_text(poisson(100)) + "\n".join(bad) + "\n"))
    assert profile.rows == 100
    assert profile.dropped == {
        "malformed row": 2,
        "bad timestamp": 3,
        "missing tokens": 2,
        "non-numeric tokens": 2,
        "negative tokens": 2,
        "implausible tokens": 2,
    }
    assert any("of the rows were dropped" in note for note in profile.notes)


def test_json_lines_that_are_no_objects_are_counted(tmp_path: Path) -> None:
    """A cut last line, an array and plain words are malformed rows."""
    good = [f'{{"ts": {START + k}, "input_tokens": 3, "output_tokens": 4}}' for k in range(20)]
    profile = fit(written(tmp_path, "\n".join([*good, "[1, 2]", "oops", good[0][:20]]), "log.jsonl"))
    assert (profile.rows, profile.dropped) == (20, {"malformed row": 3})


def test_bytes_that_are_no_text_cost_their_row_only(tmp_path: Path) -> None:
    """Bad UTF-8 and a NUL in the middle of a log; blank lines are nothing at all."""
    text = csv_text(poisson(50)).encode() + f"{START},\xff\xfe,5\n\n{START},3\x00,5\n".encode("latin-1")
    lines = "".join(f'{{"ts": {START + k}, "input_tokens": 3, "output_tokens": 4}}\n' for k in range(20)).encode()
    assert fit(written(tmp_path, text)).dropped == {"malformed row": 1, "non-numeric tokens": 1}
    assert fit(written(tmp_path, lines + b'{"ts": "\xff"}\n\n \n\n', "log.jsonl")).dropped == {"malformed row": 1}


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_an_interrupted_fit_ends_as_interrupted_and_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a query is not a bug of ours, and the staging folder goes."""
    spill = tmp_path / "spill"
    spill.mkdir()
    script = (
        "import os, signal, sys, threading\n"
        "from tripoint.adapters.demand_files.session import open_session\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored where tests run in the background
        "try:\n"
        "    with open_session(256, 'log.csv') as session:\n"
        "        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "        session.rows('SELECT sum(a.i * b.i) FROM range(10000000) a(i), range(10000000) b(i)')\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(130)\n"
    )
    environment = {**os.environ, "TMPDIR": str(spill)}
    run = subprocess.run([sys.executable, "-c", script], env=environment, check=False, timeout=60)
    assert run.returncode == 130
    assert list(spill.iterdir()) == []


def test_a_huge_field_costs_its_row_only(tmp_path: Path) -> None:
    """Ten megabytes in one field neither stop the read nor pass as a number."""
    text = csv_text(poisson(50)) + f"{START},{'x' * 10_000_000},5\n" + csv_text(poisson(50, seed=8)).split("\n", 1)[1]
    profile = fit(written(tmp_path, text))
    assert (profile.rows, profile.dropped) == (100, {"malformed row": 1})


def test_a_quote_that_is_never_closed_is_told(tmp_path: Path) -> None:
    """It swallows the rows after it; the lines lost with it are counted in a note."""
    text = csv_text(poisson(50)) + f'"{START},3,4\n' + "\n".join(f"{START + k},3,4" for k in range(5)) + "\n"
    profile = fit(written(tmp_path, text))
    assert profile.rows == 50
    assert profile.dropped["malformed row"] == 1
    assert any("never closed" in note for note in profile.notes)


def test_a_gap_is_told_and_counted_as_quiet(tmp_path: Path) -> None:
    """Two hours of silence lower the mean rate; the rate outside them is noted beside it."""
    rows = poisson(2000)
    later = [(at + 7200, given, made) for at, given, made in rows[1000:]]
    profile = fit(written(tmp_path, csv_text([*rows[:1000], *later])))
    (note,) = [note for note in profile.notes if "gap" in note]
    assert note.startswith("1 gap longer than")
    assert "counted as quiet time" in note
    assert profile.window_s > 7200


def test_a_handful_of_rows_years_away_is_set_aside(tmp_path: Path) -> None:
    """A wrong year in two rows of 5,000 must not stretch the window to a decade."""
    rows = poisson(5000)
    wanted = fit(written(tmp_path, csv_text(rows)))
    strays = [(START - 9 * 365 * 86_400, 1, 1), (START + 9 * 365 * 86_400, 1, 1)]
    profile = fit(written(tmp_path, csv_text([strays[0], *rows, strays[1]]), "strays.csv"))
    assert profile.dropped == {"stray timestamp": 2}
    assert figures(profile) == figures(wanted)


def test_numbers_and_dates_in_one_column_are_not_reconciled(tmp_path: Path) -> None:
    """Half epoch, half ISO: the author must say which clock is right."""
    rows = [(iso(at) if k % 2 else at, *tokens) for k, (at, *tokens) in enumerate(poisson(100))]
    with pytest.raises(OptionError, match="mixes 50 numbers with 50 ISO timestamps"):
        fit(written(tmp_path, csv_text(rows)))


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ("", "log.csv", "is empty"),
        ("\n\n", "log.csv", "is empty"),
        ("timestamp,input_tokens,output_tokens\n", "log.csv", "a header line and no rows"),
        ("# nothing here\n", "log.csv", "comments only"),
        ("1767571200,10,5\n1767571201,10,5\n", "log.csv", "has no header line"),
        ("ts,ts,input_tokens\n1,2,3\n", "log.csv", "more than one column named `ts`"),
        ("[{}]", "log.json", "one JSON array"),
        ("{oops\n", "log.jsonl", "no line at the start"),
        ("timestamp,input_tokens,output_tokens\n1,2,3\n", "log.parquet", "named as Parquet but holds CSV"),
        ('{"ts": 1}\n', "log.csv", "named as CSV but holds JSON lines"),
        (b"PK\x03\x04rest", "log.csv", "a zip archive or an Excel workbook"),
        (b"\x28\xb5\x2f\xfdrest", "log.csv.zst", "Zstandard-compressed"),
        ("timestamp,a\n".encode("utf-16"), "log.csv", "UTF-16 text"),
        (b"\x7fELF\x00\x00\x00\x00" * 9, "log.csv", "binary file"),
        ("x" * 2_000_000, "log.csv", "first line of `log.csv` is longer than"),
        ("timestamp,input_tokens,output_tokens\n1767571200.5,1,1\n", "log.csv", "1 usable row, 2 are needed"),
        ("timestamp,input_tokens,output_tokens\n" + "1767571200.5,1,2\n1767571200.5,2,2\n", "log.csv", "the same time"),
        ("timestamp,input_tokens,output_tokens\n" + "soon,1,2\nlater,2,2\n", "log.csv", "is a timestamp"),
    ],
)
def test_what_is_no_log_is_refused_with_a_way_out(tmp_path: Path, content: str | bytes, name: str, said: str) -> None:
    """Each kind of wrong file has its own sentence and hint."""
    with pytest.raises(OptionError) as told:
        fit(written(tmp_path, content, name))
    assert said in told.value.message
    assert told.value.hint
    assert not told.value.message.endswith(".")


def test_a_broken_parquet_file_is_refused(tmp_path: Path) -> None:
    """Its magic bytes alone do not make it one."""
    with pytest.raises(FileError, match=r"`log\.parquet` is damaged|cannot read `log\.parquet`"):
        fit(written(tmp_path, b"PAR1" + b"\x00" * 64 + b"PAR1", "log.parquet"))


def test_paths_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    """A missing file and a folder."""
    with pytest.raises(FileError, match="No such file"):
        fit(str(tmp_path / "none.csv"))
    with pytest.raises(OptionError, match="is a folder"):
        fit(str(tmp_path))


def test_without_duckdb_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan needs no DuckDB; a fit says how to get it."""
    monkeypatch.setattr(sessions, "duckdb", None)
    with pytest.raises(MissingExtraError) as told:
        fit(written(tmp_path, csv_text(poisson(5))))
    assert "tripoint[demand]" in told.value.hint


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a good fit nor a failed one leaves its staging files."""
    spill = tmp_path / "spill"
    spill.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spill))
    fit(written(tmp_path, csv_text(poisson(50))))
    with pytest.raises(TripointError):
        fit(written(tmp_path, csv_text([("soon", 1, 1)] * 3)))
    assert list(spill.iterdir()) == []


@pytest.mark.parametrize("cut", range(0, 2000, 97))
def test_a_file_cut_anywhere_never_ends_in_a_trace_back(tmp_path: Path, cut: int) -> None:
    """Any prefix of a log is a profile or one of our errors."""
    text = csv_text(poisson(60)).encode()[:cut]
    path = written(tmp_path, text)
    if text.count(b"\n") >= 3:
        assert fit(path, FitOptions(memory_mb=64)).rows >= 2
        return
    with pytest.raises(TripointError) as told:
        fit(path, FitOptions(memory_mb=64))
    assert told.value.hint
