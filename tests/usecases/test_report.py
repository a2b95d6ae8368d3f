from __future__ import annotations

import pytest
from tests.factories.plan import small_plan

from tripoint.domain.errors import InternalError
from tripoint.domain.plan import Plan
from tripoint.usecases.report import Output, write_outputs


def test_every_document_is_stored_in_order_with_its_place() -> None:
    """The caller learns where each document went."""
    stored: dict[str, str] = {}

    def write(name: str, text: str) -> str:
        stored[name] = text
        return f"out/{name}"

    outputs = (Output(name="a.txt", make=lambda plan: plan.name), Output(name="b.txt", make=lambda plan: "größe"))
    written = write_outputs(small_plan(), outputs, write)
    assert stored == {"a.txt": "three-layer", "b.txt": "größe"}
    assert [(each.name, each.place) for each in written] == [("a.txt", "out/a.txt"), ("b.txt", "out/b.txt")]


def test_nothing_is_stored_when_one_document_cannot_be_made() -> None:
    """Old outputs are not replaced by half a set."""
    stored: list[str] = []

    def broken(plan: Plan) -> str:
        raise InternalError("cannot draw")

    def write(name: str, text: str) -> str:
        stored.append(name)
        return name

    outputs = (Output(name="a.txt", make=lambda plan: "fine"), Output(name="b.txt", make=broken))
    with pytest.raises(InternalError):
        write_outputs(small_plan(), outputs, write)
    assert stored == []
