"""Words on the pages stand out from what is behind them, in light, in dark and on paper."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

SHEET = files("tripoint.apps.render.html").joinpath("report.css").read_text(encoding="utf-8")
SCHEMES = ("light", "dark", "print")
WORDS = ("ink", "muted", "c0", "w1", "w3", "w4", "good", "bad")
"""Colours that letters have; `c0` is that of the curve of owned nodes."""
LEAST = 4.5
"""Least contrast of letters of ordinary size, WCAG 2.2, 1.4.3."""


def colours(scheme: str) -> dict[str, str]:
    """Variables of a scheme; what paper does not name is as in light."""
    blocks = re.findall(r":root \{(.*?)\}", SHEET, flags=re.DOTALL)
    light, other = blocks[0], blocks[SCHEMES.index(scheme)]
    return {
        name: value for block in (light, other) for name, value in re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block)
    }


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_is_the_most_there_is() -> None:
    """The formula at its ends."""
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777") == 1


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_letters_stand_out(scheme: str, word: str) -> None:
    """On the paper and on the pale ground of tiles."""
    found = colours(scheme)
    grounds = ("paper", "wash") if word in ("ink", "muted") else ("paper",)
    for ground in grounds:
        assert contrast(found[word], found[ground]) >= LEAST, (scheme, word, ground)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_flags_stand_out(scheme: str) -> None:
    """The word of a warning on its own ground."""
    found = colours(scheme)
    assert contrast(found["warn"], found["warn-pale"]) >= LEAST


@pytest.mark.parametrize("layer", ["public", "dense", "edge"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_letters_on_the_fill_of_a_layer_stand_out(scheme: str, layer: str) -> None:
    """They are heavy and only repeat the hue, so 4 is asked of them."""
    found = colours(scheme)
    assert contrast(found["on-fill"], found[layer]) >= 4.0
