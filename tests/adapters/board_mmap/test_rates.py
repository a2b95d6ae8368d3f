"""Quotas in shared memory keep the promises of every keeper of quotas, exactly, also when their workers are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest

from tripoint.adapters.board_mmap.board import make_board_file
from tripoint.adapters.board_mmap.rates import QUOTAS, MmapRates, rates_bytes
from tripoint.engines.gateway.entry.quotas import MINUTE_S, REQUESTS, LocalRates, Rates
from tripoint.testing.rates_conformance import RatesConformance

WORKER = """
import sys, time
from tripoint.adapters.board_mmap.rates import MmapRates
descriptor, worker, workers = (int(each) for each in sys.argv[1:])
rates = MmapRates(descriptor, worker, workers)
slots = [rates.slot(f"quota-{number}") for number in range(40)]
print("up", flush=True)
sys.stdin.readline()
drawn = entered = 0
for _ in range(3000):
    drawn += rates.draw(slots[7], 0, 0.06, 50.0) == 0.0
    if rates.enter(slots[8], 25):
        entered += 1
        if entered % 3:
            rates.leave(slots[8])
print(slots[7], slots[8], drawn, flush=True)
time.sleep(60)
"""


class TestLocalRates(RatesConformance):
    """The quotas of one process."""

    def make_rates(self, count: int) -> Sequence[Rates]:
        """All hands are one."""
        return [LocalRates()] * count


class TestMmapRates(RatesConformance):
    """The quotas in shared memory."""

    @pytest.fixture(autouse=True)
    def _closing(self) -> Iterator[None]:
        self._descriptors: list[int] = []
        yield
        for descriptor in self._descriptors:
            os.close(descriptor)

    def make_rates(self, count: int) -> Sequence[MmapRates]:
        """One hand per worker."""
        descriptor = make_board_file(count, rates_bytes(count))
        self._descriptors.append(descriptor)
        return [MmapRates(descriptor, worker, count) for worker in range(count)]

    def test_quotas_without_room_are_kept_by_each_worker_for_itself(self) -> None:
        """They still hold, for each worker alone."""
        one, other = self.make_rates(2)
        for number in range(QUOTAS):
            one.slot(f"quota-{number}")
        slot = one.slot("one too many")
        assert slot >= QUOTAS
        assert one.draw(slot, REQUESTS, MINUTE_S, 1.0) == 0.0
        assert one.draw(slot, REQUESTS, 1.0, 1.0) > 0.0
        one.put_back(slot, REQUESTS, 1.0)
        assert one.draw(slot, REQUESTS, 1.0, 1.0) == 0.0
        assert one.enter(slot, 1)
        assert not one.enter(slot, 1)
        one.leave(slot)
        assert other.draw(other.slot("one too many"), REQUESTS, MINUTE_S, 1.0) == 0.0

    def test_four_processes_at_once_draw_exactly_what_there_is(self) -> None:
        """And places of those that are killed are given back."""
        workers = 4
        descriptor = make_board_file(workers, rates_bytes(workers))
        self._descriptors.append(descriptor)
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", WORKER, str(descriptor), str(number), str(workers)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=(descriptor,),
            )
            for number in range(workers)
        ]  # fmt: skip
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        told = [process.stdout.readline().split() for process in processes if process.stdout is not None]
        for process in processes:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
        assert len({tuple(each[:2]) for each in told}) == 1  # all mean the same places
        assert sum(int(each[2]) for each in told) == round(MINUTE_S / 0.06)
        hand = MmapRates(descriptor, 0, workers)
        slot = hand.slot("quota-8")
        assert not hand.enter(slot, 25)
        assert sum(hand.forget_worker(number) for number in range(workers)) == 25
        assert hand.enter(slot, 1)
