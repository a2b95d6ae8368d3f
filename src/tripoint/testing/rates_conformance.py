"""What every keeper of quotas must promise: run these on your own by subclassing and giving `make_rates`."""

from __future__ import annotations

from collections.abc import Sequence

from tripoint.engines.gateway.entry.quotas import MINUTE_S, REQUESTS, TOKENS, Rates


class RatesConformance:
    """The promises of `Rates`, as tests; `make_rates` gives the hands of `count` workers on the same quotas."""

    def make_rates(self, count: int) -> Sequence[Rates]:
        """Hands on fresh quotas; fewer where there is room for one worker only."""
        raise AssertionError("a conformance test must say how its rates are made")

    def test_all_hands_mean_the_same_quota_by_its_name(self) -> None:
        """In whatever order they met it, and no two names mean one."""
        first, *others = self.make_rates(3)
        slots = [first.slot(name) for name in ("a", "b", "c")]
        assert len(set(slots)) == 3
        for other in others:
            assert [other.slot(name) for name in ("c", "a", "b")] == [slots[2], slots[0], slots[1]]

    def test_a_bucket_holds_a_minute_and_fills_evenly(self) -> None:
        """Exactly, over all hands together."""
        hands = self.make_rates(2)
        slot = hands[0].slot("q")
        drawn = [hand.draw(slot, REQUESTS, 20.0, 1000.0) for _ in range(2) for hand in hands]
        assert drawn.count(0.0) == min(3, len(drawn))
        assert hands[0].draw(slot, REQUESTS, 20.0, 1000.0 + 19.0) > 0.0 or len(drawn) < 3
        assert hands[-1].draw(slot, REQUESTS, 20.0, 1000.0 + MINUTE_S) == 0.0

    def test_the_two_buckets_of_a_quota_do_not_touch(self) -> None:
        """Requests are one thing, tokens another."""
        hand = self.make_rates(1)[0]
        slot = hand.slot("q")
        assert hand.draw(slot, REQUESTS, MINUTE_S, 5.0) == 0.0
        assert hand.draw(slot, TOKENS, MINUTE_S, 5.0) == 0.0
        assert hand.draw(slot, REQUESTS, 1.0, 5.0) == 1.0

    def test_what_is_put_back_can_be_drawn_again(self) -> None:
        """And what is owed must be waited for."""
        hands = self.make_rates(2)
        slot = hands[0].slot("q")
        assert hands[0].draw(slot, TOKENS, MINUTE_S, 5.0) == 0.0
        hands[-1].put_back(slot, TOKENS, 10.0)
        assert hands[0].draw(slot, TOKENS, 10.0, 5.0) == 0.0
        hands[0].put_back(slot, TOKENS, -30.0)
        assert hands[-1].draw(slot, TOKENS, 1.0, 5.0) == 31.0

    def test_no_more_are_let_in_than_there_are_places(self) -> None:
        """Over all hands together; a place given back can be taken by any."""
        hands = self.make_rates(3)
        slot = hands[0].slot("q")
        taken = [(hand, hand.enter(slot, 4)) for _ in range(4) for hand in hands]
        entered = [hand for hand, is_in in taken if is_in]
        assert len(entered) == 4
        entered[0].leave(slot)
        assert hands[-1].enter(slot, 4)
        assert not hands[0].enter(slot, 4)
        assert not hands[0].enter(hands[0].slot("other"), 0)
