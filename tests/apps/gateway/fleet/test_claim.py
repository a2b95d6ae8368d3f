"""A run folder has one gateway."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tripoint.apps.gateway.fleet.claim import claim
from tripoint.domain.errors import FileError, OptionError


def test_a_second_gateway_is_told_who_has_the_folder(tmp_path: Path) -> None:
    """Until the first lets go."""
    first = claim(tmp_path / "run")
    with pytest.raises(OptionError, match=f"is in use by another gateway, process {os.getpid()}") as refused:
        claim(tmp_path / "run")
    assert "--run-dir" in refused.value.hint
    os.close(first)
    again = claim(tmp_path / "run")
    os.close(again)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """At the start and in one sentence: without it nobody could be answered."""
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "run"
    with pytest.raises(FileError) as refused:
        claim(folder)
    assert refused.value.message == f"the run folder `{folder}` cannot be written: Not a directory"
    assert "--run-dir" in refused.value.hint


@pytest.mark.parametrize("has_lock", [False, True])
def test_a_folder_without_the_right_to_write_is_refused(tmp_path: Path, has_lock: bool) -> None:
    """Also where an earlier run left its lock, which can be opened all the same."""
    folder = tmp_path / "run"
    folder.mkdir()
    if has_lock:
        (folder / "gateway.lock").touch()
        (folder / "gateway.lock").chmod(0o666)
    folder.chmod(0o555)
    run = subprocess.run([*_without_root(), sys.executable, "-c", _CLAIM, str(folder)], capture_output=True, text=True,
                         timeout=60, check=False)  # fmt: skip
    assert run.stdout == f"the run folder `{folder}` cannot be written: Permission denied\n", run.stderr


_CLAIM = """
import sys
from pathlib import Path
from tripoint.apps.gateway.fleet.claim import claim
from tripoint.domain.errors import FileError
try:
    claim(Path(sys.argv[1]))
except FileError as error:
    print(error.message)
"""


def _without_root() -> list[str]:
    """What takes root's passing over of rights from a command; nothing where we are not root."""
    if os.geteuid():
        return []
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
