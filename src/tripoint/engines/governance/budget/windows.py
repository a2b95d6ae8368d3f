"""Over which time does a budget count? Days and months of UTC, named so that they sort."""

from __future__ import annotations

from datetime import UTC, datetime

from tripoint.domain.tenancy import Window


def window_of(at: float, window: Window) -> str:
    """The window a moment falls in: `YYYY-MM-DD` or `YYYY-MM`; `at` in seconds since 1970."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%d}" if window is Window.DAY else f"{moment:%Y-%m}"


def kind_of(window: str) -> Window:
    """Whether it is a day or a month."""
    return Window.DAY if len(window) > 7 else Window.MONTH


def begins_at(window: str) -> float:
    """First moment of a window, seconds since 1970."""
    day = window if kind_of(window) is Window.DAY else f"{window}-01"
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


def ends_at(window: str) -> float:
    """First moment after a window, seconds since 1970."""
    start = begins_at(window)
    if kind_of(window) is Window.DAY:
        return start + 86_400.0
    return begins_at(window_of(start + 32 * 86_400.0, Window.MONTH))
