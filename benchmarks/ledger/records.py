"""Usage records as a gateway of 200 tenants would write them: 2,000 keys, 12 models, 5 sites, 30 days."""

from __future__ import annotations

import random
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from struct import Struct

import msgspec

from tripoint.adapters.usage_segments import MAGIC
from tripoint.domain.record import AttemptRecord, Ending, Usage, UsageRecord

FIRST_DAY_S = 1_793_491_200.0
"""2026-11-01, 00:00 UTC."""
DAYS = 30
_FRAME = Struct("<II")


def records(first: int, count: int, total: int) -> Iterator[UsageRecord]:
    """Records `first` to `first + count` of `total`, spread evenly over the days; the same numbers give the same.

    Tenants, models and sites are drawn with unequal weights, as tenants are unequal. Each key calls two workloads.
    """
    chance = random.Random(first)
    for number in range(first, first + count):
        tenant = int(chance.random() ** 2 * 200)
        key = tenant * 10 + int(chance.random() * 10)
        model = (key * 7 + (chance.random() < 0.3)) % 12
        site = (model * 3 + int(chance.random() ** 2 * 3)) % 5
        tokens_in, tokens_out = 50 + int(chance.random() * 4000), 1 + int(chance.random() * 800)
        is_well = chance.random() < 0.98
        upstream, name, place = f"up-{site}-{model}", f"model-{model}", f"site-{site}"
        status = 200 if is_well else 503
        first_s, own_s = 0.05 + chance.random() / 5, chance.random() / 5000
        whole_s = first_s + tokens_out * 0.012
        tried = AttemptRecord(upstream, place, name, "plan", own_s, whole_s, status, "" if is_well else "status")
        trace = f"{chance.getrandbits(128):032x}"
        nano = tokens_in * (100 + 50 * model) + tokens_out * (400 + 200 * model)
        listed = nano * 3 // 2
        yield UsageRecord(
            f"802e9ac30faaf64f-{number}", FIRST_DAY_S + number * DAYS * 86_400 / total, f"tenant-{tenant}",
            f"key-{key}", f"work-{model}", name, "chat", place, upstream, status,
            Ending.OK if is_well else Ending.FAILED, "" if is_well else "upstream_failed", True,
            Usage(tokens_in, tokens_out, tokens_in // 3, 0), first_s, 0.012, whole_s, own_s, "plan", nano, listed,
            nano // 2, f"work-{model}/{upstream}/{name}", "5cad344547b5", trace, (tried,),
        )  # fmt: skip


def write_segment(folder: Path, made: Iterator[UsageRecord], name: str) -> list[bytes]:
    """A segment that holds the records; its frames."""
    folder.mkdir(parents=True, exist_ok=True)
    encode = msgspec.msgpack.Encoder().encode
    frames = []
    for each in made:
        payload = encode(each)
        frames.append(_FRAME.pack(len(payload), zlib.crc32(payload)) + payload)
    (folder / f"usage-0-{name}-000000.seg").write_bytes(MAGIC + b"".join(frames))
    return frames


def empty(folder: Path) -> None:
    """Removes a folder with what is in it."""
    shutil.rmtree(folder, ignore_errors=True)
