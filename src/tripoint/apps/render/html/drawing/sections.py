"""The frame every section and figure shares: a number, a heading, the sentence that is its message, then evidence."""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.apps.render.html.drawing.markup import Content, Markup, el, join


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of the report."""

    id: str
    """Anchor."""
    title: str
    """Heading."""
    message: Content
    """The sentence to remember."""
    body: Markup
    """Figures and tables."""

    def html(self, position: int) -> Markup:
        """The part under its numbered heading."""
        heading = el("h2", el("span", str(position), class_="position"), self.title, id=f"{self.id}-title")
        return el(
            "section", heading, el("p", self.message, class_="message"), self.body,
            id=self.id, aria_labelledby=f"{self.id}-title",
        )  # fmt: skip


def top(eyebrow: str, claim: str) -> Markup:
    """The heading of a page under what it is about; a percent sign stays with its number."""
    return el("header", el("p", eyebrow, class_="eyebrow"), el("h1", claim.replace(" %", "\u00a0%")))


def tile(name: str, big: str, small: str) -> Markup:
    """One number of the first screen: what it is, the number, and what to know about it."""
    return el(
        "div", el("dt", name), el("dd", el("span", big, class_="big"), el("span", small, class_="small")), class_="tile"
    )


def rest_told(rows: int, drawn: int) -> str:
    """What a picture of the first rows says about the others, which its table has; empty where it draws all."""
    more = rows - drawn
    if more <= 0:
        return ""
    return "One row more is in the table only." if more == 1 else f"{more} rows more are in the table only."


def figure(title: str, unit: str, *content: Content, note: str = "") -> Markup:
    """A picture under its title and unit, with its table and a note below."""
    caption = el("figcaption", el("strong", title), el("span", unit, class_="unit"))
    return el("figure", caption, join(*content), el("p", note, class_="note") if note else None)


def card(title: str, unit: str, *content: Content, note: Content = None) -> Markup:
    """A small picture among its like."""
    caption = el("figcaption", el("strong", title), el("span", unit, class_="unit"))
    return el("figure", caption, join(*content), el("p", note, class_="note") if note else None, class_="card")


def cards(*content: Content) -> Markup:
    """Small pictures side by side, as many as fit."""
    return el("div", join(*content), class_="cards")
