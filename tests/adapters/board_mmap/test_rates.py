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
from tripoint.engines.gateway.entry.quotas import MINUTE_S, REQUESTS, TOKENS, LocalRates, Rates
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

    @pytest.mark.parametrize("rests", [False, True])
    def test_a_worker_draws_ahead_while_much_is_left_and_all_of_it_can_be_drawn(self, rests: bool) -> None:
        """Most draws need no lock: what one keeps the other has after a rest, together exactly what there is."""
        hands = self.make_rates(2)
        slot = hands[0].slot("q")
        per_request_s = MINUTE_S / 10_000

        def passing(hand: MmapRates) -> int:
            count = 0
            while hand.draw(slot, REQUESTS, per_request_s, 1000.0) == 0.0:
                count += 1
            return count

        assert hands[0].draw(slot, REQUESTS, per_request_s, 1000.0) == 0.0
        found = passing(hands[1])
        assert 9_900 < found < 9_999
        if rests:
            hands[0].rest()
            assert found + passing(hands[1]) == 9_999
        else:
            assert found + passing(hands[0]) == 9_999

    def test_what_comes_back_while_much_is_left_is_there_for_all_after_a_rest(self) -> None:
        """A worker keeps little of it to itself until then, and none near the end."""
        one, other = self.make_rates(2)
        slot = one.slot("q")
        assert one.draw(slot, TOKENS, 0.01, 1000.0) == 0.0
        one.put_back(slot, TOKENS, 0.01)
        one.rest()
        assert other.draw(slot, TOKENS, MINUTE_S - 1e-6, 1000.0) == 0.0
        other.put_back(slot, TOKENS, 30.0)
        assert one.draw(slot, TOKENS, 29.0, 1000.0) == 0.0

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
