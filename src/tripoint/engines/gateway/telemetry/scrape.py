"""What an upstream says of its load: queue and cache from the Prometheus page of vLLM, SGLang, llama.cpp or TGI.

The page is a stranger's: it is read to a fixed length, line by line, and only names known here are looked at.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tripoint.engines.gateway.health.load import UpstreamLoad

MAX_PAGE_BYTES: Final = 4 << 20
"""What comes after is not read."""
_MAX_REQUESTS: Final = 1e6
_SAMPLE: Final = re.compile(
    rb'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?:[^"}\n]|"(?:[^"\\\n]|\\.)*")*\})?[ \t]+([^ \t\r\n]+)', re.MULTILINE
)


class _Names(NamedTuple):
    """Names of one kind of server; of several that are present the first is taken."""

    running: tuple[bytes, ...]
    waiting: tuple[bytes, ...]
    cache: tuple[bytes, ...]


_SERVERS: Final = (
    _Names(
        (b"vllm:num_requests_running",),
        (b"vllm:num_requests_waiting",),
        (b"vllm:kv_cache_usage_perc", b"vllm:gpu_cache_usage_perc"),
    ),
    _Names((b"sglang:num_running_reqs",), (b"sglang:num_queue_reqs",), (b"sglang:token_usage",)),
    _Names((b"llamacpp:requests_processing",), (b"llamacpp:requests_deferred",), (b"llamacpp:kv_cache_usage_ratio",)),
    _Names((b"tgi_batch_current_size",), (b"tgi_queue_size",), ()),
)
_KNOWN: Final = frozenset(name for server in _SERVERS for names in server for name in names)


def read_load(page: bytes) -> UpstreamLoad | None:
    """The load a metrics page tells; `None` when it tells none that is known here.

    Requests of several models or ranks on one page are added up; of their caches the fullest counts.
    """
    sums: dict[bytes, float] = {}
    highest: dict[bytes, float] = {}
    for found in _SAMPLE.finditer(page[:MAX_PAGE_BYTES]):
        name = found[1]
        if name not in _KNOWN:
            continue
        value = _number(found[2])
        if value is not None:
            sums[name] = sums.get(name, 0.0) + value
            highest[name] = max(highest.get(name, 0.0), value)
    for server in _SERVERS:
        running, waiting = _first(server.running, sums), _first(server.waiting, sums)
        if running is not None or waiting is not None:
            usage = _first(server.cache, highest) or 0.0
            return UpstreamLoad(min(running or 0.0, _MAX_REQUESTS), min(waiting or 0.0, _MAX_REQUESTS), min(usage, 1.0))
    return None


def _first(names: tuple[bytes, ...], values: dict[bytes, float]) -> float | None:
    return next((values[name] for name in names if name in values), None)


def _number(text: bytes) -> float | None:
    """A sample's value; `None` for what is no number, negative or not finite."""
    if len(text) > 64:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 <= value < float("inf") else None
