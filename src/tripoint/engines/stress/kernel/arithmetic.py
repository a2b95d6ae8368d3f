"""Logarithm and exponential that give the same bits on every machine.

The ones of mathematics libraries differ in the last bit between processors, and one bit can put two events in another
order. These use addition, multiplication, division and powers of two only, which IEEE 754 fixes exactly: the series of
the inverse hyperbolic tangent for the logarithm, Taylor's for the exponential, both to less than 2 units in the last
place. Normal quantiles follow Wichura (1988), algorithm AS 241, PPND16.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LN2_HIGH = 0.693147180369123816490  # ln 2 to 32 bits, so that whole multiples of it are exact
_LN2_LOW = 1.90821492927058770002e-10  # the rest of it
_ROOT_HALF = 0.70710678118654752440
_ODD = tuple(1.0 / odd for odd in range(23, 0, -2))
_CENTRAL_TOP = (
    2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
    13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608,
)  # fmt: skip
_CENTRAL_BOTTOM = (
    5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
    5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0,
)  # fmt: skip
_MIDDLE_TOP = (
    7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
    3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734,
)  # fmt: skip
_MIDDLE_BOTTOM = (
    1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
    0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0,
)  # fmt: skip
_TAIL_TOP = (
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
    0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772,
)  # fmt: skip
_TAIL_BOTTOM = (
    2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
    0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0,
)  # fmt: skip


def natural_log(values: Floats) -> Floats:
    """ln of finite positive values."""
    mantissa, exponent = np.frexp(values)
    is_low = mantissa < _ROOT_HALF
    mantissa = np.where(is_low, mantissa + mantissa, mantissa)
    power = exponent.astype(np.float64) - is_low
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    twice = ratio + ratio
    series = _horner(_ODD, ratio * ratio)
    return power * _LN2_HIGH + (power * _LN2_LOW + twice * series)


def exponential(values: Floats) -> Floats:
    """e to the power of values between -700 and 700."""
    power = np.floor(values * 1.4426950408889634 + 0.5)
    rest = (values - power * _LN2_HIGH) - power * _LN2_LOW
    total = np.ones_like(rest)
    for term in range(13, 0, -1):
        total = 1.0 + rest * total / term
    scaled: Floats = np.ldexp(total, power.astype(np.int64))
    return scaled


def normal_quantile(shares: Floats) -> Floats:
    """Value below which a standard normal lies with these probabilities, 0 < share < 1; relative error below 1e-15."""
    offset = shares - 0.5
    near = 0.180625 - offset * offset
    central = offset * _horner(_CENTRAL_TOP, near) / _horner(_CENTRAL_BOTTOM, near)
    is_central = near >= 0.0
    if bool(is_central.all()):
        return central
    tail = np.where(is_central, 0.5, np.where(offset < 0.0, shares, 1.0 - shares))
    root = np.sqrt(-natural_log(tail))
    middle, far = root - 1.6, root - 5.0
    outer = np.where(
        root <= 5.0,
        _horner(_MIDDLE_TOP, middle) / _horner(_MIDDLE_BOTTOM, middle),
        _horner(_TAIL_TOP, far) / _horner(_TAIL_BOTTOM, far),
    )
    return np.where(is_central, central, np.where(offset < 0.0, -outer, outer))


def _horner(coefficients: Sequence[float], at: Floats) -> Floats:
    """Polynomial, highest power first."""
    total = np.full_like(at, coefficients[0])
    for coefficient in coefficients[1:]:
        total = total * at + coefficient
    return total
