from __future__ import annotations

import errno
import importlib
import pkgutil
from collections.abc import Iterator

import click
import pytest

import tripoint
from tripoint.apps.outcomes import EXIT_CODES, ExitCode, finding_lines, outcome_of
from tripoint.domain.errors import EstateError, Finding, Severity, TripointError


def every_error(kind: type[TripointError] = TripointError) -> Iterator[type[TripointError]]:
    """The class and all its subclasses, in every module of the package."""
    yield kind
    for child in kind.__subclasses__():
        yield from every_error(child)


@pytest.fixture(scope="module")
def error_classes() -> list[type[TripointError]]:
    """All error classes, after importing every module that could define one."""
    for module in pkgutil.walk_packages(tripoint.__path__, "tripoint."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return [kind for kind in every_error() if kind.__module__.startswith("tripoint.")]


def test_every_error_class_has_a_row_of_its_own(error_classes: list[type[TripointError]]) -> None:
    """The table of exit codes is total: no class falls back to its parent's code."""
    assert [kind.__name__ for kind in error_classes if kind not in EXIT_CODES] == []


def test_the_table_lists_nothing_that_does_not_exist(error_classes: list[type[TripointError]]) -> None:
    """A class that was removed leaves no row behind."""
    assert set(EXIT_CODES) <= set(error_classes)


def test_every_error_class_has_a_code_of_its_own(error_classes: list[type[TripointError]]) -> None:
    """Two classes never share a code, so a code names one kind of failure."""
    codes = [kind.code for kind in error_classes]
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
        (click.Abort(), ExitCode.INTERRUPTED),
        (click.UsageError("no"), ExitCode.USAGE),
        (click.FileError("x"), ExitCode.OUTSIDE),
        (OSError(errno.ENOSPC, "No space left on device", "x"), ExitCode.OUTSIDE),
        (ZeroDivisionError("division by zero"), ExitCode.INTERNAL),
        (MemoryError(), ExitCode.INTERNAL),
    ],
)
def test_foreign_errors_have_an_exit_code_and_one_sentence(error: BaseException, code: ExitCode) -> None:
    """Errors that are not tripoint's own are told in one sentence without a trailing period."""
    outcome = outcome_of(error)
    assert outcome.exit_code is code
    assert outcome.message
    assert "\n" not in outcome.message
    assert not outcome.message.endswith(".")


def test_a_full_disk_names_the_file_and_what_to_do() -> None:
    """ENOSPC is told with the file's name and a hint about space."""
    outcome = outcome_of(OSError(errno.ENOSPC, "No space left on device", "out/plan.json"))
    assert "`out/plan.json`" in outcome.message
    assert "space" in outcome.hint


def test_an_estate_error_carries_its_findings() -> None:
    """What is wrong in the estate travels with the outcome."""
    finding = Finding(code="TP1203", severity=Severity.ERROR, path="workloads[0]", message="unknown dataset")
    assert outcome_of(EstateError((finding,))).findings == (finding,)


def test_findings_are_ordered_by_place_and_show_the_hint_below() -> None:
    """Lines run in file order whatever the order of discovery; the hint has a line of its own."""
    later = Finding(code="TP1301", severity=Severity.WARNING, path="b", message="two", file="e.yaml", line=9, column=3)
    first = Finding(
        code="TP1203",
        severity=Severity.ERROR,
        path="a.c",
        message="one",
        hint="do this",
        file="e.yaml",
        line=2,
        column=1,
    )
    assert finding_lines([later, first]) == [
        "e.yaml:2:1  TP1203 error  a.c: one",
        "    hint: do this",
        "e.yaml:9:3  TP1301 warning  b: two",
    ]


def test_a_finding_without_place_or_path_is_still_one_line() -> None:
    """Empty parts leave no stray separators."""
    finding = Finding(code="TP1010", severity=Severity.NOTE, path="", message="whole document")
    assert finding_lines([finding]) == ["TP1010 note  whole document"]


def test_an_interruption_says_what_it_cost() -> None:
    """Whoever was interrupted may say so in words, also through the `Abort` that click makes of it."""
    wrapped = click.Abort()
    wrapped.__cause__ = KeyboardInterrupt("interrupted before the first plan was found")
    assert outcome_of(wrapped).message == "interrupted before the first plan was found"
    assert outcome_of(click.Abort()).message == outcome_of(KeyboardInterrupt()).message == "interrupted"


def test_doubts_about_a_plan_come_after_what_is_wrong_in_its_files() -> None:
    """A warning of the estate is not lost among those of figures; errors still come first."""
    found = [
        Finding(
            code="TP1602", severity=Severity.WARNING, path="", message="weak figure", file="a.yaml", line=1, column=1
        ),
        Finding(
            code="TP1507", severity=Severity.WARNING, path="x", message="no match", file="b.yaml", line=9, column=1
        ),
        Finding(code="TP1203", severity=Severity.ERROR, path="y", message="unknown", file="c.yaml", line=9, column=1),
    ]
    assert [line.split("  ")[1].split()[0] for line in finding_lines(found)] == ["TP1203", "TP1507", "TP1602"]
