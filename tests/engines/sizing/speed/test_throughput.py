"""Service times: exact on paper, honest on held-out measurements, refused outside what is known."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.sizing import DECODE_S, PREFILL_S, model, point, sizing_catalog

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.domain.catalog import Catalog, ThroughputPoint
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.provenance import Confidence
from tripoint.domain.units import ModelId
from tripoint.domain.workload import WorkloadKind
from tripoint.engines.sizing.speed.memory import ModelSize, memory_need, model_size, smallest_width
from tripoint.engines.sizing.speed.throughput import NoSpeed, Shape, Speed, fitted_speeds, speeds_of
from tripoint.engines.sizing.speed.training import relative_speed

RATIO = 4.0


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    """The catalogue tripoint ships."""
    return load_catalog()


def size(name: str = "m8", **fields: object) -> ModelSize:
    """Size of a model of the tiny catalogue."""
    spec = ModelSpec(id=ModelId(name), **fields)  # type: ignore[arg-type]  # fields by name
    found = model_size(spec, sizing_catalog())
    assert found is not None
    return found


def found_speeds(name: str = "m8", accelerator: str = "chip", **fields: object) -> dict[str, Speed]:
    """Speeds by scenario; fails when there are none."""
    precisions = fields.pop("precisions", None)
    found = speeds_of(sizing_catalog(), size(name, **fields), accelerator, RATIO, precisions)  # type: ignore[arg-type]  # fields of several kinds
    assert not isinstance(found, NoSpeed), found
    return {speed.scenario: speed for speed in found}


def test_two_shapes_give_both_coefficients_exactly() -> None:
    """0.1 ms per input token and 0.4 ms per output token, as the points were made."""
    speed = found_speeds()["chat+rag"]
    assert speed.prefill_s == pytest.approx(PREFILL_S)
    assert speed.decode_s == pytest.approx(DECODE_S)
    assert not speed.is_split
    assert (speed.ttft_ms, speed.tpot_ms) == (300.0, 50.0)


def test_one_shape_is_split_by_the_default_ratio() -> None:
    """0.2 s for 1000 in / 500 out at four input tokens per output token: 0.2 / 750 per output token."""
    speed = found_speeds()["offline"]
    assert speed.decode_s == pytest.approx(0.2 / 750)
    assert speed.prefill_s == pytest.approx(0.2 / 750 / 4)
    assert speed.is_split


def test_two_points_no_positive_coefficients_explain_fall_back_to_the_slower_one() -> None:
    """A RAG point faster than its prompt allows."""
    odd = [point("m", "fp8", "chat", (1000, 500), 1000.0), point("m", "fp8", "rag", (4000, 500), 4000.0)]
    (speed,) = fitted_speeds(odd, RATIO)
    assert speed.is_split
    for one in odd:
        shape = Shape(input_tokens=one.input_tokens, output_tokens=one.output_tokens)
        assert speed.tokens_per_s_per_gpu(shape) <= one.tokens_per_s_per_gpu * (1 + 1e-9)


def test_embeddings_are_all_prefill() -> None:
    """100,000 input tokens per second."""
    speed = found_speeds("embed")["offline"]
    assert speed.gpu_seconds(Shape(input_tokens=512, output_tokens=0)) == pytest.approx(512 / 100_000)
    assert speed.decode_s == 0.0


@given(prefill=st.floats(1e-6, 1e-2), decode=st.floats(1e-6, 1e-2), cached=st.floats(0.0, 1.0))
def test_fitted_coefficients_give_back_any_shape(prefill: float, decode: float, cached: float) -> None:
    """Points made from a and b return a and b, and cached input costs nothing."""
    shapes = [(1024.0, 512.0), (4000.0, 500.0)]
    made = [
        point("m", "fp8", name, shape, shape[1] / (prefill * shape[0] + decode * shape[1]))
        for name, shape in zip(("chat", "rag"), shapes, strict=True)
    ]
    (speed,) = fitted_speeds(made, RATIO)
    seconds = speed.gpu_seconds(Shape(input_tokens=700.0, output_tokens=90.0, cached_share=cached))
    assert seconds == pytest.approx(prefill * 700 * (1 - cached) + decode * 90, rel=1e-6)


def test_only_accepted_precisions_are_offered() -> None:
    """The tiny catalogue has `m8` at fp8 only, and the refusal says where it is known."""
    assert found_speeds(precisions=("FP8",))
    found = speeds_of(sizing_catalog(), size(), "chip", RATIO, ("bf16",))
    assert isinstance(found, NoSpeed)
    assert "chip (fp8)" in found.text


def test_a_known_model_is_never_guessed_on_another_accelerator() -> None:
    """Measured on `chip`, asked for on `slow`."""
    found = speeds_of(sizing_catalog(), size(), "slow", RATIO, None)
    assert isinstance(found, NoSpeed)
    assert "chip" in found.text


def test_an_unknown_model_lies_between_its_neighbours() -> None:
    """Halfway between 8 and 70 billion on a log scale, at the same scenario, graded an estimate."""
    server = point("m8", "fp8", "server", (1000, 500), 500 / 0.3, ttft_ms=2000.0, tpot_ms=100.0)
    catalog = replace(sizing_catalog(), throughput=(*sizing_catalog().throughput, server))
    spec = ModelSpec(id=ModelId("mine"), parameters_b=(8.0 * 70.0) ** 0.5)
    sized = model_size(spec, catalog)
    assert sized is not None
    found = speeds_of(catalog, sized, "chip", RATIO, None)
    assert not isinstance(found, NoSpeed)
    (speed,) = found
    shape = Shape(input_tokens=1000, output_tokens=500)
    assert speed.gpu_seconds(shape) == pytest.approx((0.3 * 3.0) ** 0.5)
    assert speed.provenance.confidence is Confidence.ESTIMATE
    assert speed.tpot_ms == 200.0
    assert "m8" in speed.note


@pytest.mark.parametrize("billions", [1.0, 400.0])
def test_outside_the_measured_range_there_is_no_answer(billions: float) -> None:
    """The refusal carries the size asked for and the nearest known one."""
    found = speeds_of(sizing_catalog(), size("mine", parameters_b=billions), "chip", RATIO, ("fp8",))
    assert isinstance(found, NoSpeed)
    assert found.actual == billions
    assert found.limit in (8.0, 70.0)


def test_between_figures_of_different_scenarios_there_is_no_answer() -> None:
    """8 billion were measured in a chat and 70 billion by a server: 20 lie within, and between nothing."""
    found = speeds_of(sizing_catalog(), size("mine", parameters_b=20.0), "chip", RATIO, None)
    assert isinstance(found, NoSpeed)
    assert "knows 0.1 to 70 billion, though none on either side of it at one precision" in found.text


def test_memory_counts_weights_and_the_cache_of_full_contexts() -> None:
    """8 GB of weights; 4 x 8192 tokens x 0.1 MB = 3.28 GB that may fill nine tenths of the rest."""
    need = memory_need(size(), 1.0, 4.0, 0.9)
    assert need.weights_gb == 8.0
    assert need.kv_gb == pytest.approx(4 * 8192 * 0.1 / 1000 / 0.9)


@pytest.mark.parametrize(
    ("bytes_per_parameter", "memory", "gpus", "width"),
    [(2.0, 80.0, 8, 2), (2.0, 40.0, 8, 4), (1.0, 80.0, 8, 1), (2.0, 16.0, 8, None), (2.0, 80.0, 1, None)],
)
def test_widths_are_powers_of_two_inside_one_node(
    bytes_per_parameter: float, memory: float, gpus: int, width: int | None
) -> None:
    """A model of 70 billion without cache: 140 GB at two bytes, 70 GB at one."""
    need = memory_need(size("m70"), bytes_per_parameter, 0.0, 0.9)
    assert smallest_width(need, memory, gpus) == width


@given(billions=st.floats(0.5, 1000.0), gpus=st.sampled_from([1, 2, 4, 8, 72]), memory=st.floats(8.0, 300.0))
def test_the_width_found_holds_the_model_and_half_of_it_does_not(billions: float, gpus: int, memory: float) -> None:
    """Least power of two, never more than a node has."""
    need = memory_need(size("mine", parameters_b=billions), 1.0, 4.0, 0.9)
    width = smallest_width(need, memory, gpus)
    if width is None:
        assert need.total_gb > memory * gpus / 2
        return
    assert width <= gpus
    assert need.total_gb <= memory * width
    assert width == 1 or need.total_gb > memory * width / 2


def test_an_unknown_cache_is_scaled_from_the_nearest_model() -> None:
    """32 billion is nearer to 70 than to 8; the square root of the ratio times 0.3 MB."""
    figure = size("mine", parameters_b=32.0).kv_mb_per_token
    assert figure.value == pytest.approx(0.3 * (32 / 70) ** 0.5)
    assert "m70" in figure.note


def test_training_speed_is_the_ratio_of_a_common_run() -> None:
    """6000 over 2000 tokens per second."""
    figure = relative_speed(sizing_catalog(), WorkloadKind.FINE_TUNING, "fast", "chip", 8)
    assert figure is not None
    assert figure.value == 3.0


def test_without_a_common_run_peaks_stand_in() -> None:
    """250 over 1000 TFLOPS, and the note says so."""
    figure = relative_speed(sizing_catalog(), WorkloadKind.TRAINING, "slow", "chip", 8)
    assert figure is not None
    assert figure.value == 0.25
    assert "250 / 1000" in figure.note
    assert relative_speed(sizing_catalog(), WorkloadKind.TRAINING, "unheard-of", "chip", 8) is None


def bounded(catalog: Catalog, name: str, accelerator: str, precision: str) -> Speed:
    """Speed fitted from the chat and RAG points of a configuration alone."""
    points = [
        p
        for p in catalog.throughput
        if (p.model, p.accelerator, p.precision) == (name, accelerator, precision) and p.scenario in ("chat", "rag")
    ]
    (speed,) = fitted_speeds(points, RATIO)
    return speed


def error(speed: Speed, held: ThroughputPoint) -> float:
    """Relative error of a prediction on a point the fit has not seen."""
    shape = Shape(input_tokens=held.input_tokens, output_tokens=held.output_tokens)
    return speed.tokens_per_s_per_gpu(shape) / held.tokens_per_s_per_gpu - 1


def held_out(catalog: Catalog, name: str, accelerator: str, scenario: str) -> ThroughputPoint:
    """A measured point."""
    keys = (name, accelerator, scenario)
    return next(p for p in catalog.throughput if (p.model, p.accelerator, p.scenario) == keys)


def test_a_held_out_point_under_like_bounds_is_predicted_within_a_tenth(shipped: Catalog) -> None:
    """70B at fp8 on H200: fitted at 1024/512 and 4000/500 with TPOT <= 50 ms, held 294/294 with TPOT <= 40 ms."""
    speed = bounded(shipped, "llama3.1-70b", "h200-sxm", "fp8")
    assert abs(error(speed, held_out(shipped, "llama2-70b", "h200-sxm", "interactive"))) < 0.1


@pytest.mark.parametrize(
    ("fitted", "held", "accelerator", "precision"),
    [
        ("llama3.1-70b", "llama2-70b", "h100-sxm", "fp8"),
        ("llama3.1-70b", "llama2-70b", "h200-sxm", "fp8"),
        ("llama3.1-8b", "llama3.1-8b", "h100-sxm", "bf16"),
        ("llama3.1-8b", "llama3.1-8b", "h200-sxm", "bf16"),
        ("llama3.1-8b", "llama3.1-8b", "b200-sxm", "bf16"),
    ],
)
def test_points_under_looser_bounds_or_narrower_weights_are_underestimated(
    shipped: Catalog, fitted: str, held: str, accelerator: str, precision: str
) -> None:
    """A fit under tight bounds at wider weights never promises more than was measured under loose ones."""
    found = error(bounded(shipped, fitted, accelerator, precision), held_out(shipped, held, accelerator, "server"))
    assert -0.7 < found < 0.0


def test_the_split_of_one_shape_predicts_the_other_within_a_quarter(shipped: Catalog) -> None:
    """From every chat point, the RAG point of the same configuration; median error within 5 %."""
    ratio = next(row.typical for row in shipped.defaults if row.key == "sizing.prefill_decode_ratio")
    rag = {(p.model, p.accelerator, p.precision): p for p in shipped.throughput if p.scenario == "rag"}
    errors = [
        error(fitted_speeds([chat], ratio)[0], rag[chat.model, chat.accelerator, chat.precision])
        for chat in shipped.throughput
        if chat.scenario == "chat"
    ]
    assert len(errors) > 15
    assert max(map(abs, errors)) < 0.25
    assert abs(median(errors)) < 0.05


def test_every_shipped_point_gives_a_positive_speed(shipped: Catalog) -> None:
    """No row of the catalogue makes time negative or endless."""
    for speed in fitted_speeds(shipped.throughput, RATIO):
        assert speed.prefill_s > 0
        assert speed.gpu_seconds(Shape(input_tokens=1000, output_tokens=250)) > 0


def test_models_of_equal_size_need_no_interpolation() -> None:
    """A declared size that equals a known one takes that one's speed."""
    catalog = replace(sizing_catalog(), models=(*sizing_catalog().models, model("other", 9.0, 0.1)))
    sized = model_size(ModelSpec(id=ModelId("mine"), parameters_b=8.0), catalog)
    assert sized is not None
    found = speeds_of(catalog, sized, "chip", RATIO, None)
    assert not isinstance(found, NoSpeed)
    assert {speed.scenario for speed in found} == {"chat+rag", "offline"}
