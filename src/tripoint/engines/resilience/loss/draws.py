"""Rates that are not known well, drawn together: the same draw meets every workload.

A figure with a range is taken as log-normal, its median the figure and its 5th and 95th percentile as far apart as the
range. Figures of one key are one draw: should colos fail more often than the catalogue thinks, they all do.
Quantiles are stratified (McKay, Beckman and Conover, 1979), so that few draws carry the whole range.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tripoint.domain.provenance import Figure

_Z90 = 1.6448536269514722
"""95th percentile of the normal distribution."""
_LOW, _HIGH = 5.0, 95.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Values of uncertain figures, draw by draw."""

    by_key: dict[str, Floats]
    """Key of the figure -> [draw] value."""
    count: int
    """Draws."""

    def of(self, figure: Figure) -> Floats:
        """[draw] values of a figure; the figure itself where nothing is uncertain about it."""
        return self.by_key.get(figure.key, np.full(self.count, figure.value))


def drawn(figures: Iterable[Figure], count: int, seed: int) -> Draws:
    """Draws of all figures that have a range; the same seed gives the same."""
    by_key = {figure.key: figure for figure in figures}
    found: dict[str, Floats] = {}
    middles = (np.arange(count) + 0.5) / count
    for number, key in enumerate(sorted(by_key)):
        figure = by_key[key]
        spread = _spread(figure)
        if spread <= 0.0:
            continue
        order = np.random.Generator(np.random.Philox(key=[seed, number])).permutation(count)
        found[key] = figure.value * np.exp(spread * _normal_quantile(middles[order]))
    return Draws(found, count)


def interval(values: Floats) -> tuple[float, float]:
    """5th and 95th percentile."""
    low, high = np.percentile(values, (_LOW, _HIGH))
    return float(low), float(high)


def _spread(figure: Figure) -> float:
    """Standard deviation of the logarithm."""
    low, high = figure.low, figure.high
    if low is None or high is None or low <= 0.0 or high <= low or figure.value <= 0.0:
        return 0.0
    return math.log(high / low) / (2.0 * _Z90)


def _normal_quantile(shares: Floats) -> Floats:
    """Inverse of the normal distribution function, by rational approximation (Acklam, 2003; error below 1.2e-9)."""
    a = (-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.3577518672690, -30.66479806614716,
         2.506628277459239)  # fmt: skip
    b = (-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1.0)
    c = (-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
         2.938163982698783)  # fmt: skip
    d = (0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1.0)
    tail = np.minimum(shares, 1.0 - shares)
    q = shares - 0.5
    r = q * q
    middle = np.polyval(a, r) * q / np.polyval(b, r)
    far = np.sqrt(-2.0 * np.log(tail))
    outer = np.polyval(c, far) / np.polyval(d, far) * np.where(q > 0, -1.0, 1.0)
    return np.where(tail < 0.02425, outer, middle)
