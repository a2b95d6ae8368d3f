"""A run folder has one gateway."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tripoint.apps.gateway.fleet.claim import claim
from tripoint.domain.errors import OptionError


def test_a_second_gateway_is_told_who_has_the_folder(tmp_path: Path) -> None:
    """Until the first lets go."""
    first = claim(tmp_path / "run")
    assert first is not None
    with pytest.raises(OptionError, match=f"is in use by another gateway, process {os.getpid()}") as refused:
        claim(tmp_path / "run")
    assert "--run-dir" in refused.value.hint
    os.close(first)
    again = claim(tmp_path / "run")
    assert again is not None
    os.close(again)


def test_a_folder_that_cannot_be_made_stops_nobody(tmp_path: Path) -> None:
    """Requests are served without it, and that is told elsewhere."""
    (tmp_path / "file").touch()
    assert claim(tmp_path / "file" / "run") is None
