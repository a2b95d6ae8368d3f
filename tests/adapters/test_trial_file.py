"""Finished trials survive whatever ends a run, and are never taken for those of something else."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.trials import Line, orders, outcome

from tripoint.adapters.trial_file import TrialFile
from tripoint.domain.errors import FileError
from tripoint.domain.stress import Order, Trial

DIGEST = "ab" * 32
FLOATS = st.floats(allow_nan=False)


def written(folder: Path, count: int) -> dict[str, Trial]:
    """Keeps so many trials; what a reader must find."""
    trials = {order.key: Line()(order) for order in orders(count)}
    with TrialFile(folder, DIGEST) as file:
        for order in orders(count):
            file.keep(order, trials[order.key])
    return trials


def test_what_was_kept_is_found(tmp_path: Path) -> None:
    """Every trial, equal to the last bit; without a file there is none."""
    assert TrialFile(tmp_path, DIGEST).finished() == {}
    assert not list(tmp_path.iterdir())
    assert written(tmp_path, 20) == TrialFile(tmp_path, DIGEST).finished()


@given(wait=FLOATS, outage=FLOATS, magnitude=FLOATS)
def test_any_figure_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, wait: float, outage: float, magnitude: float
) -> None:
    """Also an outage that lasts for ever and the smallest of numbers."""
    order = Order(scenario="site-loss", number=3, magnitudes={"share": magnitude})
    trial = Trial(
        scenario=order.scenario,
        number=order.number,
        magnitudes=order.magnitudes,
        outcomes=(outcome(wait, outage),),
        events=1,
    )
    folder = tmp_path_factory.mktemp("kept")
    with TrialFile(folder, DIGEST) as file:
        file.keep(order, trial)
        assert file.finished() == {order.key: trial}


@pytest.mark.parametrize(("cut", "left"), [(1, 5), (2, 4), (40, 4), (300, 4)])
def test_a_line_that_was_cut_off_is_played_again(tmp_path: Path, cut: int, left: int) -> None:
    """Unless only its end is missing; the others are kept, and what is added is not glued to the remains."""
    trials = written(tmp_path, 5)
    (path,) = tmp_path.iterdir()
    os.truncate(path, path.stat().st_size - cut)
    found = TrialFile(tmp_path, DIGEST).finished()
    assert found == dict(list(trials.items())[:left])
    last = orders(5)[4]
    with TrialFile(tmp_path, DIGEST) as file:
        file.keep(last, trials[last.key])
        assert file.finished() == trials


@given(st.data())
def test_damage_anywhere_invents_nothing(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever byte is changed, what is found is what was kept, and at most one line (two, at its end) is missing."""
    folder = tmp_path_factory.mktemp("kept")
    trials = written(folder, 6)
    (path,) = folder.iterdir()
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    found = TrialFile(folder, DIGEST).finished()
    assert found.items() <= trials.items()
    assert len(found) >= len(trials) - 2


def test_another_digest_is_another_file(tmp_path: Path) -> None:
    """Trials of a changed plan are played anew, beside the old ones."""
    written(tmp_path, 3)
    assert TrialFile(tmp_path, "cd" * 32).finished() == {}


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    """Digests that begin alike name one file; its first line tells them apart."""
    written(tmp_path, 3)
    with pytest.raises(FileError, match="holds trials of something else"):
        TrialFile(tmp_path, DIGEST[:16] + "00").finished()


def test_trials_of_another_version_are_played_again(tmp_path: Path) -> None:
    """A line whose fields are no longer those of a trial does not count."""
    order = orders(1)[0]
    trial = Line()(order)
    with TrialFile(tmp_path, DIGEST) as file:
        file.keep(order, replace(trial, events="many"))  # type: ignore[arg-type]  # what an older version might write
        assert file.finished() == {}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """With its name and what to do."""
    place = tmp_path / "file"
    place.write_text("not a folder")
    order = orders(1)[0]
    with pytest.raises(FileError, match="cannot write") as refusal, TrialFile(place / "below", DIGEST) as file:
        file.keep(order, Line()(order))
    assert "another folder" in refusal.value.hint


def test_a_full_disk_is_told() -> None:
    """Nothing is taken for kept that the disk did not take."""
    order = orders(1)[0]
    file = TrialFile(Path("/dev"), DIGEST)
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    file.path = Path("/dev/full")
    with pytest.raises(FileError, match="No space left"), file:
        file.keep(order, Line()(order))
