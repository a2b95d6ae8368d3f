from __future__ import annotations

import contextlib
import ctypes
import io
import os
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.apps.terminal.interruption import Interruption
from tripoint.apps.terminal.progress import closed_share, progress_display, progress_line
from tripoint.usecases.plan import ProgressState


def test_a_line_tells_best_bound_and_gap() -> None:
    """Everything a person watching asks for is in one line."""
    state = ProgressState(phase="planning", incumbent=12_345_678.0, bound=12_000_000.0, gap=0.028, seconds=3.21)
    line = progress_line(state, 0.001)
    assert line.startswith("planning · 3.2 s · best $12.35M · bound $12.00M · gap 2.80% █")


def test_a_line_without_a_plan_yet_tells_the_phase() -> None:
    """Before the first incumbent there is nothing to invent."""
    assert progress_line(ProgressState(phase="resolving", seconds=0.5), 0.001) == "resolving · 0.5 s"


@given(st.floats(0, 10), st.floats(0, 1))
def test_the_bar_is_never_empty_beyond_or_full_before_the_target(gap: float, target: float) -> None:
    """The share lies in 0 to 1 and reaches 1 exactly when the gap is within the target."""
    share = closed_share(gap, target)
    assert 0.0 <= share <= 1.0
    assert (share == 1.0) == (gap <= max(target, 1e-9)) or share > 0.999


@given(st.floats(1e-6, 1), st.floats(1e-6, 1))
def test_the_bar_grows_as_the_gap_closes(first: float, second: float) -> None:
    """A smaller gap never shows a shorter bar."""
    wide, narrow = max(first, second), min(first, second)
    assert closed_share(narrow, 0.001) >= closed_share(wide, 0.001)


def test_a_pipe_gets_one_line_per_phase() -> None:
    """Where nobody watches, a log is not flooded."""
    stream = io.StringIO()
    with progress_display(target_gap=0.001, is_quiet=False, stream=stream) as show:
        for seconds in range(5):
            show(ProgressState(phase="planning", seconds=float(seconds)))
        show(ProgressState(phase="writing"))
    assert stream.getvalue() == "planning\nwriting\n"


def test_a_terminal_gets_a_live_line_that_goes_away() -> None:
    """On a terminal the line is drawn, and what is left behind is nothing."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    with progress_display(target_gap=0.001, is_quiet=False, stream=stream) as show:
        show(ProgressState(phase="planning", incumbent=2e6, bound=1e6, gap=0.5, seconds=1.0))
    assert "best $2.00M" in stream.getvalue()


def test_quiet_shows_nothing() -> None:
    """Nothing at all is written."""
    stream = io.StringIO()
    with progress_display(target_gap=0.001, is_quiet=True, stream=stream) as show:
        show(ProgressState(phase="planning"))
    assert stream.getvalue() == ""


def test_the_first_interruption_asks_and_the_second_gives_up() -> None:
    """Ctrl-C once is a request, twice an exception; afterwards the old behaviour is back."""
    told: list[str] = []
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), Interruption(lambda: told.append("stopping")) as interruption:  # noqa: PT012 - both signals
        assert not interruption.was_asked()
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.was_asked()
        assert told == ["stopping"]
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_giving_up_survives_code_that_swallows_exceptions() -> None:
    """A solver that swallows the exception in its callback does not turn giving up into an answer."""
    with pytest.raises(KeyboardInterrupt), Interruption(lambda: None):  # noqa: PT012  # what is tried is the pair
        os.kill(os.getpid(), signal.SIGINT)
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_two_presses_while_a_solver_holds_the_main_thread_are_two() -> None:
    """Python runs its handler once for both, since it comes to it only when the solver lets it; that gives up too."""
    told: list[str] = []
    press = ctypes.CDLL(None)["raise"]  # in one call of C, as a solver's: no handler runs between the two
    with pytest.raises(KeyboardInterrupt), Interruption(lambda: told.append("stopping")) as interruption:
        list(map(press, [int(signal.SIGINT)] * 2))
    assert interruption.was_asked()


def test_what_was_told_to_press_again_is_heard_afterwards() -> None:
    """A shell's background job ignores Ctrl-C from its start: once it has heard one, it hears the next as well."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interruption(lambda: None):
            pass
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        with Interruption(lambda: None):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_giving_up_is_heard_again() -> None:
    """A third press interrupts what the second has set going."""
    with pytest.raises(KeyboardInterrupt), Interruption(lambda: None):  # noqa: PT012  # what is tried is all three
        os.kill(os.getpid(), signal.SIGINT)
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
