"""The same without a terminal: a line every two seconds, and each event as it comes."""

from __future__ import annotations

from typing import Final, TextIO

from tripoint.apps.hybrid.screen.dashboard import clock
from tripoint.apps.hybrid.screen.money import usd
from tripoint.apps.hybrid.screen.view import Event, View

EVERY_S: Final = 2.0
"""Time between two lines, s."""


class PlainLines:
    """Writes views as lines of text."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last_event: Event | None = None
        self._due_s = 0.0

    def show(self, view: View) -> None:
        """Writes the events that are new, and a line of figures when one is due."""
        for event in self._new(view.events):
            self._write(f"{clock(event.at_s):>6}  {event.told}")
        if view.at_s >= self._due_s:
            self._due_s = view.at_s + EVERY_S
            self._write(line(view))

    def _new(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        if not events:
            return ()
        last, self._last_event = self._last_event, events[-1]
        known = next((place for place in reversed(range(len(events))) if events[place] == last), -1)
        return events[known + 1 :]

    def _write(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()


def line(view: View) -> str:
    """The figures of a view."""
    sites = "  ".join(
        f"{site.site} {site.requests_per_s:.1f}/s{'' if site.state == 'serving' else f' ({site.state})'}"
        for site in view.sites
    )
    whole = view.whole
    ttft = "–" if whole.ttft_p95_s is None else f"{1000 * whole.ttft_p95_s:.1f} ms"
    return (
        f"{clock(view.at_s):>6}  {sites}  {whole.tokens_per_s:,.0f} tok/s  TTFT p95 {ttft}  "
        f"{usd(whole.usd_per_hour)}/h  {usd(whole.today_usd)} today  {view.answered}/{view.sent} answered  "
        f"{view.lost} lost{f'  {view.refused} refused' if view.refused else ''}"
    )
