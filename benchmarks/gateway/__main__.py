"""Measures the gateway beside its peers: `python -m benchmarks.gateway`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gateway.entrants import started
from benchmarks.gateway.peers import PEERS
from benchmarks.gateway.product import ACCOUNTS, COMPILED, COMPILED_ACCOUNTS, COMPILED_ALONE, PRODUCT, VARIANTS
from benchmarks.gateway.rounds import MODES, build, measure, seen_upstream, upstream
from benchmarks.gateway.verdicts import print_mode, print_verdicts
from benchmarks.measure import say, start


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the chosen modes over everything installed and print tables and verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.gateway")
    parser.add_argument("--modes", default=",".join(MODES), help=f"some of {', '.join(MODES)}")
    parser.add_argument("--only", default="", help="only these, by the beginning of their names: nginx,tripoint")
    parser.add_argument("--features", action="store_true", help="also without one feature after the other")
    parser.add_argument("--rounds", type=int, default=5, help="samples of each, after a load that is thrown away")
    parser.add_argument(
        "--retakes", type=int, default=3, help="how often a sample that others disturbed is taken again at most"
    )
    parser.add_argument("--json", type=Path, help="write every sample there")
    options = parser.parse_args(arguments)
    # Asked to end, it ends what it has started: paused gateways would stay for ever.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    start("Gateway")
    build()
    wanted = tuple(options.only.lower().split(",")) if options.only else ("",)
    ours = (PRODUCT, COMPILED, COMPILED_ALONE, ACCOUNTS, COMPILED_ACCOUNTS)
    everyone = (*PEERS, *ours, *(VARIANTS if options.features else ()))
    chosen = [peer for peer in everyone if peer.name.lower().startswith(wanted)]
    modes = [MODES[name] for name in options.modes.split(",")]
    with upstream() as behind, started(chosen, behind.port) as entrants:
        say()
        samples = measure(modes, entrants, options.rounds, behind, options.retakes)
        arrived = seen_upstream(behind.port)
        versions = {entrant.name: entrant.version for entrant in entrants}
    if options.json:
        options.json.write_text(json.dumps([dataclasses.asdict(sample) for sample in samples], indent=1) + "\n")
    for mode in modes:
        print_mode(samples, mode.name)
    say(f"The upstream saw {arrived}\n")
    print_verdicts(samples, versions)


if __name__ == "__main__":
    main()
