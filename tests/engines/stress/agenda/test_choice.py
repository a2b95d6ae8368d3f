"""Which scenarios are tried."""

from __future__ import annotations

import pytest
from tests.factories.tried import shipped

from tripoint.domain.errors import OptionError
from tripoint.engines.stress.agenda.choice import chosen


@pytest.mark.parametrize(("name", "told"), [("sit-los", "did you mean `site-loss`"), ("nope", "known: `")])
def test_a_scenario_nobody_has_is_refused_with_names_that_are(name: str, told: str) -> None:
    """The nearest, or the first of all where none is near."""
    with pytest.raises(OptionError) as caught:
        chosen(shipped(), (name,))
    assert caught.value.hint.startswith(told)
