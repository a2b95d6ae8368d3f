"""Planning an estate from a terminal: with progress, and with Ctrl-C for the best plan so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from tripoint.apps import wiring
from tripoint.apps.answer import Answer
from tripoint.apps.settings import read_settings
from tripoint.apps.terminal.interruption import Interruption
from tripoint.apps.terminal.progress import progress_display
from tripoint.domain.errors import SolverError

if TYPE_CHECKING:
    from tripoint.domain.catalog import Catalog
    from tripoint.domain.plan import Plan
    from tripoint.domain.source import LoadedEstate
    from tripoint.usecases.plan import PlanOptions
    from tripoint.usecases.solving import Watch


def watched(estate: LoadedEstate | str, options: PlanOptions, catalog: Catalog | None, *, is_quiet: bool) -> Plan:
    """The plan of an estate; raises as `wiring.plan` does, and `KeyboardInterrupt` when stopped before the first."""
    with watching(options.gap, is_quiet=is_quiet) as watch:
        return wiring.plan(estate, options, catalog=catalog, watch=watch)


@contextmanager
def watching(gap: float, *, is_quiet: bool) -> Iterator[Watch]:
    """Progress towards a gap, and Ctrl-C for what is found so far; `KeyboardInterrupt` where that is nothing yet."""
    from tripoint.usecases.solving import Watch

    def tell() -> None:
        click.echo("stopping at what is found so far; press Ctrl-C again to give up", err=True)

    with progress_display(target_gap=gap, is_quiet=is_quiet) as show, Interruption(tell) as interruption:
        try:
            yield Watch(show=show, should_stop=interruption.was_asked)
        except SolverError:
            if interruption.was_asked():  # stopped before the first plan: nothing failed but patience
                raise KeyboardInterrupt("interrupted before the first plan was found") from None
            raise


def phases(*, is_quiet: bool) -> Callable[[str], None]:
    """Tells what is being done on stderr; nothing where it is to be quiet."""
    return lambda phase: None if is_quiet else click.echo(f"{phase} ...", err=True)


def planned(
    estate: LoadedEstate | str,
    gap: float,
    seconds: float,
    *,
    given: str | None = None,
    catalog: Catalog | None = None,
    is_quiet: bool,
) -> Plan:
    """The plan another answer is about: the one `given`, else that of the estate, made now without the alternatives.

    Raises as `wiring.read_plan` or `watched` does.
    """
    from tripoint.usecases.plan import PlanOptions

    if given:
        return wiring.read_plan(given)
    options = PlanOptions(gap=gap, seconds=seconds, threads=read_settings().threads, baselines=False)
    return watched(estate, options, catalog, is_quiet=is_quiet)


def no_plan(estate: str, plan: Plan) -> Answer:
    """What is answered where the estate has no plan: that there is none, and why."""
    from tripoint.apps.render.reading.conflict import conflict_payload
    from tripoint.apps.render.why.comparison import conflict_lines

    return Answer(text=conflict_lines([(estate, plan)]), payload=conflict_payload(plan.conflict), ok=False)
