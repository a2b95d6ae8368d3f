"""Writes the trace of spot nodes that is shipped as an example: made up, by the rules below, from one seed.

Eight nodes are asked for. A market that is calm or short changes its mind by chance (exponential times); each node
comes and goes by chance too, soon back while the market is calm and rarely while it is short. Nothing was measured.
"""

from __future__ import annotations

import json
from pathlib import Path

from tripoint.engines.stress.kernel.streams import Streams

FILE = Path(__file__).resolve().parents[1] / "src/tripoint/catalogs/spot-example.json"
NODES, STEPS, GAP_S, SEED = 8, 28 * 24 * 6, 600, 9
CALM_H, SHORT_H = 60.0, 5.0
"""Mean hours a market stays calm, and short."""
KEPT_H = {False: 30.0, True: 1.0}
"""Mean hours a node is kept while the market is calm, and short (key: is short)."""
BACK_H = {False: 0.5, True: 12.0}
"""Mean hours until it is back, likewise."""


def example() -> dict[str, object]:
    """The file's content; the same every time."""
    draws = Streams(SEED, 0).named("spot example")
    hours, number = GAP_S / 3600.0, 0
    is_short, there, data = False, [True] * NODES, []
    for _ in range(STEPS):
        number += 1
        is_short ^= draws.uniform(number) < hours / (SHORT_H if is_short else CALM_H)
        for node in range(NODES):
            number += 1
            there[node] ^= draws.uniform(number) < hours / (KEPT_H if there[node] else BACK_H)[is_short]
        data.append(sum(there))
    metadata = {
        "gap_seconds": GAP_S,
        "source": "made up for tripoint by tools/make_spot_example.py; nothing in it was measured",
        "as_of": "2026-11",
    }
    return {"metadata": metadata, "data": data}


def main() -> None:
    """Writes the file."""
    FILE.write_text(json.dumps(example()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
