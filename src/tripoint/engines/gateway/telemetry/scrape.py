"""What an upstream says of its load: queue and cache from the Prometheus page of vLLM, SGLang, llama.cpp or TGI.

The page is a stranger's: it is read to a fixed length, line by line, and only names known here are looked at.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tripoint.engines.gateway.health.load import UpstreamLoad

MAX_PAGE_BYTES: Final = 1 << 20
"""What comes after is not read."""
_MAX_LINE_BYTES: Final = 4096
_MAX_SAMPLES: Final = 1024
_MAX_REQUESTS: Final = 1e6
# Labels, when there are any, then the value; what may follow is a time.
_REST: Final = re.compile(rb'(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?[ \t]+([^ \t\r]{1,64})(?:[ \t\r]|\Z)')


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


def read_load(page: bytes) -> UpstreamLoad | None:
    """The load a metrics page tells; `None` when it tells none that is known here.

    Requests of several models or ranks on one page are added up; of their caches the fullest counts.
    """
    lines = b"\n" + page[:MAX_PAGE_BYTES]
    for server in _SERVERS:
        running, waiting = _values(lines, server.running), _values(lines, server.waiting)
        if running or waiting:
            usage = max(_values(lines, server.cache), default=0.0)
            return UpstreamLoad(min(sum(running), _MAX_REQUESTS), min(sum(waiting), _MAX_REQUESTS), min(usage, 1.0))
    return None


def _values(lines: bytes, names: tuple[bytes, ...]) -> list[float]:
    """Values of the first of these names that has any."""
    for name in names:
        values: list[float] = []
        wanted = b"\n" + name
        at = lines.find(wanted)
        for _ in range(_MAX_SAMPLES):
            if at < 0:
                break
            begin = at + len(wanted)
            end = lines.find(b"\n", begin, begin + _MAX_LINE_BYTES)
            found = _REST.match(lines[begin : end if end >= 0 else begin + _MAX_LINE_BYTES])
            value = _number(found[1]) if found is not None else None
            if value is not None:
                values.append(value)
            at = lines.find(wanted, begin)
        if values:
            return values
    return []


def _number(text: bytes) -> float | None:
    """A sample's value; `None` for what is no number, negative or not finite."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 <= value < float("inf") else None
