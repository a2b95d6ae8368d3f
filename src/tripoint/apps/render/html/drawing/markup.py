"""Elements whose text and attributes are escaped by construction: only `Markup` goes through as it is.

Estate names are written by strangers, so no function of the report joins strings into tags; they all build elements.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

Attribute = str | float | int | bool | None
_VOID = frozenset({"meta", "br", "hr", "link", "col"})
_SHAPES = frozenset({"path", "rect", "line", "circle", "polyline", "polygon", "use"})
_JOINTS = re.compile(r"([._/])(?=\w)")
# Control characters, half surrogates, and marks that reverse the reading order of what follows.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")


class Markup(str):
    """Text that is already HTML."""

    __slots__ = ()


Content = str | float | int | None | Iterable["Content"]


def el(tag: str, *children: Content, **attributes: Attribute) -> Markup:
    """One element; `class_` writes `class`, `stroke_width` writes `stroke-width`, `None` and `False` are left out."""
    opening = f"<{tag}{''.join(_attribute(name, value) for name, value in attributes.items())}"
    if tag in _VOID:
        return Markup(f"{opening}>")
    if tag in _SHAPES and not children:
        return Markup(f"{opening}/>")
    return Markup(f"{opening}>{join(*children)}</{tag}>")


def join(*children: Content) -> Markup:
    """Children one after the other, escaped unless they are `Markup`."""
    return Markup("".join(_content(child) for child in children))


def text(value: str) -> Markup:
    """Escaped text; control characters, which HTML has no way to write, become U+FFFD."""
    return Markup(html.escape(_FORBIDDEN.sub("\ufffd", value), quote=True))


def prose(value: str) -> Markup:
    """A sentence in which `backticked` words are set as code."""
    parts = value.split("`")
    if len(parts) % 2 == 0:
        return text(value)
    return join([el("code", part) if index % 2 else part for index, part in enumerate(parts)])


def breakable(name: str) -> Markup:
    """A dotted name that may break after its dots and underscores, and nowhere else."""
    return Markup(_JOINTS.sub(r"\1<wbr>", text(name)))


def number(value: float) -> str:
    """A coordinate: two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def _content(child: Content) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return text(child)
    if isinstance(child, int | float):
        return number(child)
    return "".join(_content(each) for each in child)


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    spelled = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {spelled}"
    return f' {spelled}="{text(value) if isinstance(value, str) else number(value)}"'
