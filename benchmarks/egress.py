"""Is the price of moving data right, and does one more GB ever make the bill smaller?

Three answers for the same volumes: ours (`tariff_cost` on the catalogue), SkyPilot's `get_egress_cost`, and the
published tiers added up GB by GB, which is what a bill does. Every whole GB up to 200,000 is then tried for falls and
jumps. SkyPilot lives in an environment of its own (`make bench` makes it), because it needs an older click than we do;
it is asked in a process with an empty home, without credentials.

Source of the tiers: the providers' public price pages for the Americas and Europe (as of 2026-05 for AWS, 2026 for
GCP's premium network tier). AWS gives the first 100 GB of a month free.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import ROOT, ratio, say, short, start, table
from tripoint.apps.wiring import load_catalog
from tripoint.domain.estate import Estate
from tripoint.domain.link import TransferClass
from tripoint.domain.site import Site, SiteKind
from tripoint.domain.units import SiteId
from tripoint.engines.costing.transfer import Tariff, tariff, tariff_cost

VOLUMES = (10_240, 51_200, 61_440, 153_600, 153_601)
MOST_GB = 200_000
REGIONS = {"aws": "us-east-2", "gcp": "us-central1"}
PUBLISHED = {
    "aws": ((100, 0.0), (10_240, 0.09), (51_200, 0.085), (153_600, 0.07), (MOST_GB + 1, 0.05)),
    "gcp": ((1_024, 0.12), (10_240, 0.11), (MOST_GB + 1, 0.08)),
}
"""(up to GB, USD per GB) by provider."""
PEER = ROOT / "out" / "bench" / "skypilot" / "bin" / "python"
ASK = """
import json, sys, time
from importlib.metadata import version
from sky.clouds import AWS, GCP
most = int(sys.argv[1])
answer = {"version": version("skypilot")}
for name, cloud in (("aws", AWS()), ("gcp", GCP())):
    started = time.perf_counter()
    costs = [cloud.get_egress_cost(float(gb)) for gb in range(most + 1)]
    answer[name] = {"costs": costs, "seconds": time.perf_counter() - started}
json.dump(answer, sys.stdout)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What somebody says every whole number of GB costs."""

    costs: tuple[float, ...]
    """[GB] USD."""
    seconds: float
    """Time taken to compute all of them."""

    @property
    def per_second(self) -> float:
        """Prices computed per second."""
        return len(self.costs) / self.seconds

    def falls(self) -> list[tuple[int, float]]:
        """(GB, USD lost) wherever one more GB costs less in total."""
        pairs = itertools.pairwise(self.costs)
        return [(gb, before - after) for gb, (before, after) in enumerate(pairs, 1) if after < before - 1e-9]

    def jumps(self, dearest_usd_per_gb: float) -> list[tuple[int, float]]:
        """(GB, USD added) wherever one more GB costs more than the dearest tier asks for it."""
        pairs = itertools.pairwise(self.costs)
        most = dearest_usd_per_gb + 1e-6
        return [(gb, after - before) for gb, (before, after) in enumerate(pairs, 1) if after - before > most]


def our_tariff(provider: str) -> Tariff:
    """Internet egress of a region of the provider, as a plan resolves it."""
    site = Site(id=SiteId(provider), kind=SiteKind.CLOUD, provider=provider, region=REGIONS[provider])
    estate = Estate(apiVersion="tripoint/v1", sites=(site,), workloads=())
    return tariff(site, TransferClass.INTERNET, estate, load_catalog(), None)[0]


def published(provider: str) -> tuple[float, ...]:
    """The bill of every whole number of GB: each GB at the price of the tier it falls into."""
    bill = [0.0]
    for gb in range(1, MOST_GB + 1):
        price = next(usd for up_to, usd in PUBLISHED[provider] if gb <= up_to)
        bill.append(bill[-1] + price)
    return tuple(bill)


def _curve(cost: Callable[[float], float]) -> Curve:
    started = time.perf_counter()
    costs = tuple(cost(float(gb)) for gb in range(MOST_GB + 1))
    return Curve(costs=costs, seconds=time.perf_counter() - started)


def skypilot(python: Path) -> tuple[str, dict[str, Curve]]:
    """Version and curves of SkyPilot, by provider; none where it is not installed."""
    if not python.is_file():
        return "", {}
    with tempfile.TemporaryDirectory() as home:
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": home, "SKYPILOT_DISABLE_USAGE_COLLECTION": "1"}
        words = [str(python), "-c", ASK, str(MOST_GB)]
        run = subprocess.run(words, env=environment, cwd=home, stdout=subprocess.PIPE, text=True, check=True)
    answer = json.loads(run.stdout)
    curves = {name: Curve(costs=tuple(answer[name]["costs"]), seconds=answer[name]["seconds"]) for name in REGIONS}
    return str(answer["version"]), curves


def main(arguments: Sequence[str] | None = None) -> None:
    """Price the volumes three ways and look for falls and jumps."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.egress")
    parser.add_argument("--skypilot", type=Path, default=PEER, help="an interpreter that has SkyPilot")
    options = parser.parse_args(arguments)
    start("Egress")
    tariffs = {name: our_tariff(name) for name in REGIONS}
    ours = {name: _curve(lambda gb, of=found: tariff_cost(of, gb)) for name, found in tariffs.items()}  # type: ignore[misc]  # mypy infers no default
    version, theirs = skypilot(options.skypilot)
    say(f"SkyPilot {version}.\n" if theirs else "SkyPilot is not installed; `make bench` installs it.\n")
    _print_volumes(ours, theirs)
    _print_shapes(ours, theirs)


def _print_volumes(ours: dict[str, Curve], theirs: dict[str, Curve]) -> None:
    rows: list[tuple[str, ...]] = []
    for name in REGIONS:
        bill = published(name)
        for gb in VOLUMES:
            mine, other = ours[name].costs[gb], theirs[name].costs[gb] if theirs else None
            rows.append(
                (
                    name,
                    f"{gb:,}",
                    f"{bill[gb]:,.2f}",
                    f"{mine:,.2f}",
                    f"{mine / bill[gb]:.3f}",
                    "-" if other is None else f"{other:,.2f}",
                    "-" if other is None else f"{other / bill[gb]:.3f}",
                )
            )
    heads = ("provider", "GB a month", "published tiers", "tripoint", "of published", "SkyPilot", "of published")
    table(heads, rows)


def _print_shapes(ours: dict[str, Curve], theirs: dict[str, Curve]) -> None:
    say(f"Every whole GB from 0 to {MOST_GB:,}: falls are volumes that cost less than one GB less does.\n")
    table(
        (
            "provider",
            "by",
            "falls",
            "worst fall",
            "GB dearer than any tier",
            "dearest",
            "prices per second",
            "of tripoint's",
        ),
        [
            _shape(provider, who, curve, ours[provider])
            for provider in REGIONS
            for who, curves in (("tripoint", ours), ("SkyPilot", theirs))
            for curve in ([curves[provider]] if curves else [])
        ],
    )


def _shape(provider: str, who: str, curve: Curve, ours: Curve) -> tuple[str, ...]:
    dearest = max(usd for _, usd in PUBLISHED[provider])
    falls, jumps = curve.falls(), curve.jumps(dearest)
    return (
        provider,
        who,
        f"{len(falls):,}",
        _worst(falls, "-"),
        f"{len(jumps):,}",
        _worst(jumps, "+"),
        short(curve.per_second),
        ratio(curve.per_second, ours.per_second),
    )


def _worst(steps: list[tuple[int, float]], sign: str) -> str:
    if not steps:
        return "none"
    gb, usd = max(steps, key=lambda step: step[1])
    return f"{sign}{usd:,.2f} USD at {gb:,} GB"


if __name__ == "__main__":
    main()
