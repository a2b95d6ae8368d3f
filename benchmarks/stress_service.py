"""How far off is the service-time model, on measurements it has not seen?

Two sets of measurements that nobody here made (`../shared/data`, left out where it is not there): serving engines under
a fixed number of callers, and fixed batches. Each configuration (model, accelerator, precision, engine, parallelism) is
calibrated on part of its points and tried on the others:

- `ends`: the fewest and the most callers of each shape are known, all between them are tried;
- `every other`: every second point is known.

`catalogue` knows none of the points: the pace comes from the catalogue's figures for the model and the accelerator.
`roofline` knows no speed either: an iteration reads the weights once and the cache of every sequence, input is computed
at a share of the peak, and a new prompt waits for a share of the others. That share is taken from the points of dense
models the catalogue has no speed of, and told; the other shares are defaults `stress.*`, found on measurements of this
kind. It is tried on the very points `catalogue` is, and on all other points of dense models.
Errors are relative; `whole` is the time from the request to the last token.

Trials freeze the time of a request when it begins. What that costs is told by playing a replica exactly, iteration by
iteration, on the real token lengths of documents, beside the frozen times.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import accumulate, groupby, islice
from math import isfinite
from pathlib import Path

from benchmarks.measure import ROOT, say, start, table
from tripoint.apps.wiring import load_catalog
from tripoint.domain.catalog import Catalog
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.units import ModelId
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.sizing.speed.memory import model_size
from tripoint.engines.sizing.speed.throughput import NoSpeed, Shape, speeds_of
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.stations.batch import Batch, Step
from tripoint.engines.stress.stations.calibrate import Measured, calibrate, first_token_s, per_token_s
from tripoint.engines.stress.stations.listed import FullLoad, pace_at, physics
from tripoint.engines.stress.stations.pace import Pace, stay_of
from tripoint.engines.stress.stations.timing import BatchTiming

DATA = ROOT.parent / "shared" / "data"
SILICON = Path("llm_serving_silicon") / "silicon_sample_shared.csv.gz"
SPLITWISE = Path("splitwise_perf") / "perf_model.csv.gz"
LENGTHS = Path("vidur_profiles") / "arxiv_summarization_token_lengths.csv.gz"
DOCUMENTS = 4000
REPLICA = Pace(base_s=0.015, sequence_s=0.0001, context_s=2e-8, prefill_s=6e-5, overhead_s=0.06, max_sequences=128)
"""A replica of about 70 billion parameters on two accelerators."""
MOST = 1024
"""Sequences a replica may run in these comparisons."""
SLACK = 0.2
"""A row whose parts miss its whole by more was not measured as its columns say (memory ran out, batches were cut)."""
CATALOGUED = {
    "meta-llama/Llama-3.1-70B": "llama3.1-70b",
    "meta-llama/Llama-3.1-8B-Instruct": "llama3.1-8b",
    "Qwen/Qwen3-32B": "qwen3-32b",
    "deepseek-ai/DeepSeek-R1": "deepseek-r1",
}
CHIPS = {"h100_sxm": "h100-sxm", "b200_sxm": "b200-sxm", "h200_sxm": "h200-sxm"}
Split = Callable[[Sequence[Measured]], list[Measured]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Points of one model served in one way."""

    model: str
    """As the source names it."""
    system: str
    """Accelerator, as the source names it."""
    precision: str
    """Weight precision; empty where the source does not say."""
    width: int
    """Accelerators per replica."""
    points: tuple[Measured, ...]
    """By shape and number of callers, repeated ones as their median."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Relative errors on points that were not known."""

    configurations: int
    """Configurations tried."""
    known: int
    """Points known."""
    per_token: tuple[float, ...]
    """Of the time per output token, one per point."""
    first_token: tuple[float, ...]
    """Of the time to first token."""
    whole: tuple[float, ...]
    """Of the time to the last token."""


def silicon(data: Path) -> list[Configuration]:
    """Serving engines under a fixed number of callers, one replica each; prefill and decode in one place."""
    names = ("model_path", "system", "precision", "backend", "backend_version", "gemm_quant_mode", "moe_quant_mode")
    widths = ("tp_size", "pp_size", "attention_dp_size", "moe_tp_size", "moe_ep_size")
    found: dict[tuple[str, ...], list[Measured]] = defaultdict(list)
    with gzip.open(data / SILICON, "rt", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["mode"] != "agg":
                continue
            point = Measured(
                sequences=float(row["batch_size"]),
                input_tokens=float(row["isl"]),
                output_tokens=float(row["osl"]),
                first_token_s=float(row["silicon_ttft_ms"]) / 1000,
                per_token_s=float(row["silicon_tpot_ms"]) / 1000,
            )
            found[tuple(row[name] for name in (*names, *widths))].append(point)
    return [
        Configuration(
            model=key[0],
            system=key[1],
            precision=key[2],
            width=round(float(key[len(names)]) * float(key[len(names) + 1])),
            points=_medians(points),
        )
        for key, points in sorted(found.items())
    ]


def splitwise(data: Path) -> list[Configuration]:
    """Fixed batches of two models; rows whose parts do not add up to their whole are left out."""
    found: dict[tuple[str, ...], list[Measured]] = defaultdict(list)
    with gzip.open(data / SPLITWISE, "rt", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            tokens, first, each = (float(row[name]) for name in ("token_size", "prompt_time", "token_time"))
            if abs((first + tokens * each) / float(row["e2e_time"]) - 1) > SLACK:
                continue
            point = Measured(
                sequences=float(row["batch_size"]),
                input_tokens=float(row["prompt_size"]),
                output_tokens=tokens,
                first_token_s=first / 1000,
                per_token_s=each / 1000,
                is_together=True,
            )
            found[tuple(row[name] for name in ("model", "hardware", "tensor_parallel"))].append(point)
    return [
        Configuration(model=key[0], system=key[1], precision="", width=int(key[2]), points=_medians(points))
        for key, points in sorted(found.items())
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """Times frozen at the beginning, as trials take them, over exact ones."""

    stay: float
    """Mean stay."""
    longest: float
    """99th percentile of the stay."""
    first_token: float
    """Mean time to first token."""


def documents(data: Path, load: float) -> Frozen:
    """Frozen over exact times at a share of the most a replica carries, with arrivals by chance and real lengths."""
    with gzip.open(data / LENGTHS, "rt", encoding="utf-8") as stream:
        rows = list(islice(csv.DictReader(stream), DOCUMENTS))
    lengths = [(int(row["num_prefill_tokens"]), int(row["num_decode_tokens"])) for row in rows]
    typical = Shape(
        input_tokens=statistics.mean(tokens for tokens, _ in lengths),
        output_tokens=statistics.mean(tokens for _, tokens in lengths),
    )
    rate = load * stay_of(REPLICA, typical).most_per_s
    gaps = Streams(3, 0).named("arrivals")
    times = list(accumulate(gaps.exponential(number) / rate for number in range(len(lengths))))
    batch, steps = Batch(REPLICA), list[Step]()
    for number, (at, tokens) in enumerate(zip(times, lengths, strict=True)):
        steps.extend(batch.played_until(at))
        batch.add(at, number, *tokens)
    steps.extend(batch.played_until(float("inf")))
    exact = {(step.number, step.is_last): step.at_s - times[step.number] for step in steps}
    timing = BatchTiming(pace=REPLICA, replicas=1, typical=typical)
    firsts, stays, running = list[float](), list[float](), list[float]()
    for at, tokens in zip(times, lengths, strict=True):
        running = [end for end in running if end > at]
        first, rest = timing.times(len(running) + 1, *tokens)
        firsts.append(first)
        stays.append(first + rest)
        running.append(at + first + rest)
    settled = range(len(lengths) // 10, len(lengths))
    told, true = [stays[number] for number in settled], [exact[number, True] for number in settled]
    return Frozen(
        stay=statistics.mean(told) / statistics.mean(true),
        longest=statistics.quantiles(told, n=100)[-1] / statistics.quantiles(true, n=100)[-1],
        first_token=statistics.mean(firsts[number] for number in settled)
        / statistics.mean(exact[number, False] for number in settled),
    )


def ends(points: Sequence[Measured]) -> list[Measured]:
    """The fewest and the most sequences of each shape."""
    shapes = groupby(points, key=_shape)
    return [point for _, group in shapes for point in _first_and_last(list(group))]


def every_other(points: Sequence[Measured]) -> list[Measured]:
    """Every second point."""
    return list(points[::2])


def held_out(configurations: Iterable[Configuration], split: Split) -> Errors:
    """Errors on the points a split leaves; configurations with fewer than three known and two left are left out."""
    tried = known_points = 0
    found: list[tuple[float, float, float]] = []
    for each in configurations:
        known = split(each.points)
        rest = [point for point in each.points if point not in known]
        calibrated = calibrate(known, MOST) if len(rest) > 1 else None
        if calibrated is not None:
            tried, known_points = tried + 1, known_points + len(known)
            found.extend(_missed(calibrated.pace, point) for point in rest)
    return _errors(tried, known_points, found)


def from_the_catalogue(configurations: Iterable[Configuration], catalog: Catalog) -> Errors:
    """Errors of paces that know the catalogue only."""
    tried = 0
    found: list[tuple[float, float, float]] = []
    for each in configurations:
        missed = [_missed(pace, point) for point in each.points if (pace := _listed(each, point, catalog)) is not None]
        tried += bool(missed)
        found.extend(missed)
    return _errors(tried, 0, found)


def _listed(each: Configuration, point: Measured, catalog: Catalog) -> Pace | None:
    """The catalogue's pace of a configuration for a shape, without the derate for production."""
    spec = ModelSpec(id=ModelId(CATALOGUED.get(each.model, "")))
    size = model_size(spec, catalog)
    chip = next((row for row in catalog.accelerators if row.id == CHIPS.get(each.system)), None)
    if size is None or chip is None or not each.precision:
        return None
    speeds = speeds_of(catalog, size, chip.id, _default(catalog, "sizing.prefill_decode_ratio"), [each.precision])
    known = () if isinstance(speeds, NoSpeed) else speeds
    timed = [speed for speed in known if speed.tpot_ms and speed.gpus_per_replica == each.width]
    if not timed:
        return None
    parts = physics(size, chip, each.width, each.precision, lambda key: _default(catalog, key))
    shape = Shape(input_tokens=point.input_tokens, output_tokens=point.output_tokens)
    speed = max(timed, key=lambda speed: speed.is_modelled)
    load = FullLoad(
        rate_per_s=each.width / speed.gpu_seconds(shape),
        tpot_s=(speed.tpot_ms or 0.0) / 1000,
        prefill_s=min(speed.prefill_s / each.width, parts.prefill_s),
        base_s=parts.base_s,
        context_s=parts.context_s,
        overhead_s=_default(catalog, "stress.request_overhead_ms") / 1000,
        found_share=_default(catalog, "stress.prompts_found"),
    )
    return replace(pace_at(load, shape), max_sequences=MOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roofed:
    """Errors of the roofline, and what it was told."""

    found_share: float
    """Share of the other prompts a new one waits for, from the points tried in `others`."""
    same: Errors
    """On the points the catalogue has a speed for; no part of them was known."""
    others: Errors
    """On the other points of dense models, whose first tokens gave that share."""


def from_the_roofline(configurations: Iterable[Configuration], catalog: Catalog) -> Roofed:
    """Errors of paces that know sizes and hardware only."""
    same: list[tuple[Pace, Measured]] = []
    others: list[tuple[Pace, Measured]] = []
    tried = [0, 0]
    for each in configurations:
        pace = _roofed(each, catalog)
        if pace is None:
            continue
        listed = [_listed(each, point, catalog) is not None for point in each.points]
        same += [(pace, point) for point, is_listed in zip(each.points, listed, strict=True) if is_listed]
        others += [(pace, point) for point, is_listed in zip(each.points, listed, strict=True) if not is_listed]
        tried = [tried[0] + any(listed), tried[1] + (not all(listed))]
    share = min((step / 100 for step in range(51)), key=lambda share: _first_off(others, share))
    found = ([_missed(replace(pace, found_share=share), point) for pace, point in points] for points in (same, others))
    return Roofed(
        found_share=share,
        same=_errors(tried[0], 0, next(found)),
        others=_errors(tried[1], 0, next(found)),
    )


def _first_off(points: Iterable[tuple[Pace, Measured]], share: float) -> float:
    """Median error of the time to first token where a new prompt waits for that share of the others."""
    return typical([_missed(replace(pace, found_share=share), point)[1] for pace, point in points])


def _roofed(each: Configuration, catalog: Catalog) -> Pace | None:
    """What size and hardware alone say of a configuration of a dense model."""
    size = model_size(ModelSpec(id=ModelId(CATALOGUED.get(each.model, ""))), catalog)
    chip = next((row for row in catalog.accelerators if row.id == CHIPS.get(each.system)), None)
    if size is None or chip is None or not each.precision:
        return None
    parts = physics(size, chip, each.width, each.precision, lambda key: _default(catalog, key))
    if not isfinite(parts.prefill_s):
        return None
    return Pace(
        base_s=parts.base_s,
        sequence_s=0.0,
        context_s=parts.context_s,
        prefill_s=parts.prefill_s,
        overhead_s=_default(catalog, "stress.request_overhead_ms") / 1000,
        max_sequences=MOST,
    )


def _default(catalog: Catalog, key: str) -> float:
    return default_figure(catalog, {}, key).value


def _missed(pace: Pace, point: Measured) -> tuple[float, float, float]:
    """Relative errors of the time per token, to the first and to the last token."""
    each, first = per_token_s(pace, point), first_token_s(pace, point)
    true_each, true_first = point.per_token_s or 0.0, point.first_token_s or 0.0
    whole, true_whole = first + point.output_tokens * each, true_first + point.output_tokens * true_each
    return each / true_each - 1, first / true_first - 1, whole / true_whole - 1


def _errors(tried: int, known: int, found: list[tuple[float, float, float]]) -> Errors:
    columns = [tuple(row[place] for row in found) for place in range(3)]
    return Errors(configurations=tried, known=known, per_token=columns[0], first_token=columns[1], whole=columns[2])


def _shape(point: Measured) -> tuple[float, float]:
    return point.input_tokens, point.output_tokens


def _first_and_last(points: list[Measured]) -> list[Measured]:
    return points[:1] if len(points) == 1 else [points[0], points[-1]]


def _medians(points: list[Measured]) -> tuple[Measured, ...]:
    """Points by shape and sequences, those measured several times as the median of each time."""
    by_key: dict[tuple[float, float, float], list[Measured]] = defaultdict(list)
    for point in points:
        by_key[(*_shape(point), point.sequences)].append(point)
    return tuple(
        replace(
            same[0],
            first_token_s=statistics.median(point.first_token_s or 0.0 for point in same),
            per_token_s=statistics.median(point.per_token_s or 0.0 for point in same),
        )
        for _, same in sorted(by_key.items())
    )


def typical(errors: Sequence[float]) -> float:
    """Median of the absolute errors."""
    return statistics.median(abs(error) for error in errors)


def ninth(errors: Sequence[float]) -> float:
    """The absolute error nine in ten stay below."""
    return sorted(abs(error) for error in errors)[int(0.9 * (len(errors) - 1))]


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stress_service", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the measurements")
    data: Path = parser.parse_args(arguments).data
    start("service-time model on measurements it has not seen")
    if not (data / SILICON).exists() or not (data / SPLITWISE).exists():
        say(f"left out: `{data}` does not hold the measurements")
        return
    served, batched = silicon(data), splitwise(data)
    roofed = from_the_roofline(served, load_catalog())
    cases = [
        ("serving engines", "ends", held_out(served, ends)),
        ("serving engines", "every other", held_out(served, every_other)),
        ("serving engines", "catalogue", from_the_catalogue(served, load_catalog())),
        ("serving engines", "roofline", roofed.same),
        ("serving engines", "roofline, other points", roofed.others),
        ("fixed batches", "every other", held_out(batched, every_other)),
    ]
    rows = [
        (
            set_,
            split,
            str(each.configurations),
            str(each.known),
            str(len(each.whole)),
            *(_told(column) for column in columns),
        )
        for set_, split, each in cases
        for columns in [(each.per_token, each.first_token, each.whole)]
    ]
    table(("set", "known", "configurations", "points known", "points tried", "per token", "first token", "whole"), rows)
    say(
        f"errors: median (nine in ten below); roofline: a new prompt waits for {roofed.found_share:.0%} of the others\n"
    )
    if (data / LENGTHS).exists():
        loads = [(load, documents(data, load)) for load in (0.3, 0.5, 0.7, 0.85)]
        heads = ("load", "mean stay, frozen over exact", "99th percentile", "first token")
        table(heads, [(f"{load:.0%}", *(f"{part:.2f}" for part in astuple(found))) for load, found in loads])


def _told(errors: Sequence[float]) -> str:
    return f"{typical(errors):.1%} ({ninth(errors):.0%})" if errors else "-"


if __name__ == "__main__":
    main()
