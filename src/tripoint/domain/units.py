"""Units, conversions and the identifier types; decimal prefixes throughout (1 GB = 1e9 bytes, 1 TB = 1000 GB)."""

from __future__ import annotations

from typing import NewType

SiteId = NewType("SiteId", str)
WorkloadId = NewType("WorkloadId", str)
DatasetId = NewType("DatasetId", str)
ModelId = NewType("ModelId", str)
NodeTypeId = NewType("NodeTypeId", str)
AcceleratorId = NewType("AcceleratorId", str)
LinkId = NewType("LinkId", str)
PoolId = NewType("PoolId", str)
OfferId = NewType("OfferId", str)
UpstreamId = NewType("UpstreamId", str)

HOURS_PER_MONTH = 730.0
"""The billing month of every catalogue row (8760 h / 12)."""
MONTHS_PER_YEAR = 12
HOURS_PER_YEAR = HOURS_PER_MONTH * MONTHS_PER_YEAR
HOURS_PER_DAY = 24
HOURS_PER_WEEK = 168
SECONDS_PER_MINUTE = 60.0
MINUTES_PER_HOUR = 60.0
SECONDS_PER_HOUR = 3600.0
SECONDS_PER_DAY = 86_400.0
SECONDS_PER_WEEK = 604_800.0
GB_PER_TB = 1000.0
MS_PER_S = 1000.0
TOKENS_PER_MTOK = 1e6
GRAMS_PER_KG = 1000.0
GBIT_PER_GB = 8.0
KB_PER_GB = 1e6


def seconds_told(seconds: float) -> str:
    """A span in words: `60 s`, and below a second with two digits, `0.01 s`."""
    return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.0f} s"


def gb_per_month_to_gbps(gb_per_month: float) -> float:
    """Average rate in Gbit/s of a monthly volume in GB."""
    return gb_per_month * GBIT_PER_GB / (HOURS_PER_MONTH * SECONDS_PER_HOUR)
