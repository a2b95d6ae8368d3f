"""What upstreams tell of their load: four kinds of server, and pages that mean harm."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tripoint.engines.gateway.health.load import UpstreamLoad
from tripoint.engines.gateway.telemetry.scrape import MAX_PAGE_BYTES, read_load

VLLM = b"""# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="meta/llama"} 3.0
vllm:num_requests_running{engine="1",model_name="meta/llama"} 2.0
vllm:num_requests_waiting{engine="0",model_name="a \\"b\\" }{ c"} 7.0
vllm:kv_cache_usage_perc{engine="0"} 0.25
vllm:kv_cache_usage_perc{engine="1"} 0.75
vllm:request_success_total{finished_reason="stop"} 1.2e+03 1700000000000
"""


@pytest.mark.parametrize(
    ("page", "load"),
    [
        (VLLM, UpstreamLoad(5.0, 7.0, 0.75)),
        (VLLM.replace(b"kv_cache", b"gpu_cache").replace(b"\n", b"\r\n"), UpstreamLoad(5.0, 7.0, 0.75)),
        (b"sglang:num_running_reqs{m=\"x\"} 4\nsglang:num_queue_reqs{m=\"x\"} 1\nsglang:token_usage{m=\"x\"} 0.28",
         UpstreamLoad(4.0, 1.0, 0.28)),
        (b"llamacpp:requests_processing 2\nllamacpp:requests_deferred 0\n", UpstreamLoad(2.0, 0.0, 0.0)),
        (b"llamacpp:requests_processing 1\nllamacpp:requests_deferred 3\nllamacpp:kv_cache_usage_ratio 0.5\n",
         UpstreamLoad(1.0, 3.0, 0.5)),
        (b"tgi_batch_current_size 6\ntgi_queue_size 2\ntgi_batch_current_max_tokens 9\n", UpstreamLoad(6.0, 2.0, 0.0)),
        (b"vllm:num_requests_waiting 9", UpstreamLoad(0.0, 9.0, 0.0)),
        (b"vllm:num_requests_running 1 1700000000000\n", UpstreamLoad(1.0, 0.0, 0.0)),
    ],
)  # fmt: skip
def test_each_kind_of_server_is_understood(page: bytes, load: UpstreamLoad) -> None:
    """vLLM of two ages, SGLang, llama.cpp with and without its cache, TGI."""
    assert read_load(page) == load


@pytest.mark.parametrize(
    "page",
    [
        b"", b"\n\n", b"<html>404</html>", b"go_goroutines 7\n", b"# vllm:num_requests_running 3\n",
        b"xvllm:num_requests_running 3\n", b"vllm:num_requests_running_x 3\n", b"vllm:num_requests_running\n",
        b"vllm:num_requests_running{a=\"b} 3\n", b"vllm:num_requests_running NaN\n", b"tgi_queue_size +Inf\n",
        b"vllm:num_requests_running -1\n", b"vllm:num_requests_running 0x10\n", b"tgi_queue_size " + b"9" * 99,
        b" vllm:num_requests_running 3\n", b"tgi_queue_size{a=\"" + b"x" * 5000 + b"\"} 3\n", b"tgi_queue_size 3;4\n",
    ],
)  # fmt: skip
def test_a_page_that_tells_no_load_gives_none(page: bytes) -> None:
    """Other pages, other names, comments, values that are no count."""
    assert read_load(page) is None


def test_absurd_values_are_cut_to_what_can_be() -> None:
    """A server cannot push others away by telling more than everything, nor overflow a sum."""
    page = b"vllm:num_requests_running 1e308\n" * 5 + b"vllm:num_requests_waiting 1e300\nvllm:kv_cache_usage_perc 80\n"
    assert read_load(page) == UpstreamLoad(1e6, 1e6, 1.0)


def test_only_the_beginning_of_an_endless_page_is_read() -> None:
    """What lies behind the limit does not count."""
    filler = b"# x\n" * (MAX_PAGE_BYTES // 4)
    assert read_load(filler + VLLM) is None
    assert read_load(VLLM + filler) == UpstreamLoad(5.0, 7.0, 0.75)


@pytest.mark.parametrize(
    "piece",
    [b'vllm:num_requests_running{a="', b'a{b="\\', b"vllm:num_requests_running{", b"x{{{{", b'"\\"', b"a ", b"{}"],
)
def test_no_page_takes_long(piece: bytes) -> None:
    """Megabytes of beginnings without an end are read in a moment: the time grows with the length, not its square."""
    page = piece * ((1 << 20) // len(piece))
    began = time.process_time()
    read_load(page)
    assert time.process_time() - began < 5.0


@given(st.binary(max_size=300) | st.lists(st.sampled_from([*VLLM.split(b" "), b"{", b"}", b'"', b"\n"])).map(b" ".join))
@example(VLLM)
def test_nothing_a_stranger_sends_raises(page: bytes) -> None:
    """Any bytes give a load within bounds, or none."""
    load = read_load(page)
    assert load is None or (0 <= load.running <= 1e6 and 0 <= load.waiting <= 1e6 and 0 <= load.cache_usage <= 1)
