"""How long a request takes on a replica that serves many at once, as a closed form.

A replica with continuous batching works in iterations: each gives every running sequence one token and takes
`base + n x (sequence + context x tokens held)`, n being the sequences: weights are read once for all of them,
key-value cache once for each. An arriving request first has its input computed, `prefill x tokens`, and the
others wait meanwhile. Where n requests of one shape are always present, each stays for its own prefill, for
that of the n - 1 which replace the others while it is there, and for one iteration per output token:

    stay(n) = alone + n x beside,   alone = overhead + out x base,
                                    beside = prefill x in + out x (sequence + context x (in + out / 2))

It is linear in n, so the most a replica carries has a closed form too (Little's law, n = rate x stay). Where a
station keeps `alone` and `beside` of its requests, a service time is one multiplication. `batch.py` plays the
batch event by event.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tripoint.engines.sizing.speed.throughput import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast one replica of a model works at one place."""

    base_s: float
    """Time of an iteration without sequences: reading weights, starting kernels, s."""
    sequence_s: float
    """What each sequence adds to an iteration, s."""
    context_s: float
    """What each token held in the key-value cache adds to an iteration, s."""
    prefill_s: float
    """Time per input token that is computed, s."""
    overhead_s: float = 0.0
    """Time per request before its input is computed: queues, tokenizer, first byte, s."""
    max_sequences: int = 256
    """Most sequences at once; further ones wait."""
    found_share: float | None = None
    """Share of the others' prefills an arrival finds waiting, 0 to 1; by queueing theory where it was not measured."""

    def slower(self, times: float) -> Pace:
        """The same replica when everything takes `times` as long."""
        return Pace(
            base_s=self.base_s * times,
            sequence_s=self.sequence_s * times,
            context_s=self.context_s * times,
            prefill_s=self.prefill_s * times,
            overhead_s=self.overhead_s * times,
            max_sequences=self.max_sequences,
            found_share=self.found_share,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """How long requests of one shape stay, by how many are there: `alone_s + n x beside_s`."""

    alone_s: float
    """Part that does not depend on the others, s."""
    beside_s: float
    """Part each request present adds, itself included, s: its work when batches are large."""
    prefill_s: float
    """Time its own input takes, s."""
    pace: Pace
    """Whose stay it is."""
    mean_context: float
    """Tokens it holds in the cache, on average over its stay."""

    def total_s(self, sequences: float) -> float:
        """Time from start to last token with `sequences` present, itself included, s."""
        return self.alone_s + self.beside_s * sequences

    def iteration_s(self, sequences: float) -> float:
        """Time of one iteration without any prefill, s."""
        pace = self.pace
        return pace.base_s + sequences * (pace.sequence_s + pace.context_s * self.mean_context)

    def first_token_s(self, sequences: float) -> float:
        """Time to first token with `sequences` present, s.

        Overhead, own prefill, half an iteration to the next start of one, and the prefills found waiting: the
        measured share of them, or those of a queue with constant service and the load that n present ones make
        (Pollaczek and Khinchine), never more than all others at once.
        """
        others = self.prefill_s * max(sequences - 1.0, 0.0)
        if self.pace.found_share is not None:
            waiting = others * self.pace.found_share
        else:
            total = self.total_s(sequences)
            busy = min(self.prefill_s * sequences / total, 1.0) if total > 0 else 0.0
            waiting = min(busy * self.prefill_s / (2 * (1 - busy)), others) if busy < 1.0 else others
        return self.pace.overhead_s + self.prefill_s + waiting + self.iteration_s(sequences) / 2

    def rate_per_s(self, sequences: float) -> float:
        """Requests per second a replica finishes with `sequences` always present."""
        total = self.total_s(sequences)
        return sequences / total if total > 0 else math.inf

    @property
    def most_per_s(self) -> float:
        """Requests per second a replica finishes when full."""
        return self.rate_per_s(self.pace.max_sequences)


def stay_of(pace: Pace, shape: Shape) -> Stay:
    """Stay of requests of that shape; a shape without output (embeddings) has prefill only."""
    computed = shape.input_tokens * (1 - shape.cached_share)
    held = shape.input_tokens + shape.output_tokens / 2
    prefill = pace.prefill_s * computed
    return Stay(
        alone_s=pace.overhead_s + shape.output_tokens * pace.base_s,
        beside_s=prefill + shape.output_tokens * (pace.sequence_s + pace.context_s * held),
        prefill_s=prefill,
        pace=pace,
        mean_context=held,
    )
