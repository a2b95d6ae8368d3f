"""The process of one model server: llama.cpp on loopback until it is told to stop or its parent is gone.

Run as `python -m tripoint.adapters.local_models.server --model FILE --name NAME --port N`. It writes one line of JSON
when it answers, and ends when its standard input does: a parent that dies, however it dies, takes it along.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
from typing import Any, Final

_SLOTS: Final = 16
_SLOT_TOKENS: Final = 2048
_LONGEST_ANSWER: Final = 256
_EMBEDDING_TOKENS: Final = 512
_CACHE_MIB: Final = 16


def main(arguments: list[str] | None = None) -> int:
    """Serves until standard input ends or SIGTERM comes; returns the exit code."""
    wanted = arguments_of(arguments)
    # A failed assertion of llama.cpp calls a debugger for a trace unless told not to.
    os.environ["GGML_NO_BACKTRACE"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides the order
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))
    library: Any = importlib.import_module("xllamacpp")
    server = library.Server(parameters_of(library, wanted))
    sys.stdout.write(json.dumps({"ready": server.listening_address, "model": wanted.name}) + "\n")
    sys.stdout.flush()
    while os.read(sys.stdin.fileno(), 4096):
        pass
    # Its threads may be amid an answer nobody waits for: no clean-up is worth a wait.
    os._exit(0)


def arguments_of(arguments: list[str] | None) -> argparse.Namespace:
    """What the command line asks for; `None` reads it from the process."""
    parser = argparse.ArgumentParser(prog="tripoint model server", description=__doc__)
    parser.add_argument("--model", required=True, help="GGUF file")
    parser.add_argument("--name", required=True, help="name callers know the model by")
    parser.add_argument("--port", required=True, type=int, help="port on 127.0.0.1")
    parser.add_argument("--embedding", action="store_true", help="serve embeddings instead of text")
    parser.add_argument("--threads", type=int, default=1, help="threads of computation")
    return parser.parse_args(arguments)


def parameters_of(library: Any, wanted: argparse.Namespace) -> Any:
    """The same in llama.cpp's own terms."""
    parameters = library.CommonParams()
    parameters.model.path = wanted.model
    parameters.model_alias = {wanted.name}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = wanted.port
    parameters.verbosity = -1
    parameters.warmup = False
    parameters.endpoint_metrics = True
    parameters.cache_ram_mib = _CACHE_MIB
    parameters.cpuparams.n_threads = wanted.threads
    parameters.cpuparams_batch.n_threads = wanted.threads
    if wanted.embedding:
        parameters.embedding = True
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = _EMBEDDING_TOKENS
        parameters.n_parallel = 1
        return parameters
    parameters.n_parallel = _SLOTS
    parameters.n_ctx = _SLOTS * _SLOT_TOKENS
    parameters.n_predict = _LONGEST_ANSWER
    # One token at a time, in full precision: sums then run in one order whatever else is served meanwhile, so that
    # greedy text is the same on every site. It costs microseconds with a model this small.
    parameters.n_ubatch = 1
    parameters.flash_attn_type = library.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    parameters.cache_type_k = parameters.cache_type_v = library.ggml_type.GGML_TYPE_F32
    return parameters


if __name__ == "__main__":
    sys.exit(main())
