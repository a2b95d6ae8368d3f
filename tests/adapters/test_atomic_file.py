from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tripoint.adapters.atomic_file import read_text, write_text
from tripoint.domain.errors import FileError

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from tripoint.adapters.atomic_file import write_text
from tripoint.domain.errors import FileError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_text(Path(sys.argv[1]), "new " * 10_000)
except FileError as error:
    print(error.message)
    sys.exit(3)
"""


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    """Letters of all alphabets and line ends come back unchanged, in a folder made on the way."""
    path = tmp_path / "a" / "b" / "plan.json"
    write_text(path, "größe\r\nσ\n")
    assert path.read_bytes() == "größe\r\nσ\n".encode()
    assert read_text(path) == "größe\r\nσ\n"


def test_nothing_else_is_left_in_the_folder(tmp_path: Path) -> None:
    """The temporary file is gone, also after a second write."""
    for text in ("one", "two"):
        write_text(tmp_path / "x", text)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_text() == "two"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights")
def test_the_file_can_be_read_by_those_the_umask_allows(tmp_path: Path) -> None:
    """A report is made to be shared."""
    old = os.umask(0o027)
    try:
        write_text(tmp_path / "x", "text")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_full_disk_leaves_the_old_file_intact(tmp_path: Path) -> None:
    """When the system refuses more bytes the old report is still there, whole, and no remains are."""
    path = tmp_path / "report.html"
    path.write_text("old")
    run = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=False)
    assert run.returncode == 3, run.stderr
    assert str(path) in run.stdout
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_way_is_told_by_name(tmp_path: Path) -> None:
    """The message names the path and the cause."""
    (tmp_path / "plan.json").mkdir()
    with pytest.raises(FileError, match=r"plan\.json`: ") as caught:
        write_text(tmp_path / "plan.json", "text")
    assert "unchanged" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_a_file_in_place_of_the_folder_is_told_by_name(tmp_path: Path) -> None:
    """An output folder that is a file is a failure of the outside world, not a traceback."""
    (tmp_path / "out").write_text("a file")
    with pytest.raises(FileError, match="out"):
        write_text(tmp_path / "out" / "plan.json", "text")


def test_reading_says_what_is_wrong(tmp_path: Path) -> None:
    """A missing file and a binary one have different causes."""
    with pytest.raises(FileError, match="No such file"):
        read_text(tmp_path / "none.json")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(FileError, match="not UTF-8"):
        read_text(tmp_path / "picture.png")
