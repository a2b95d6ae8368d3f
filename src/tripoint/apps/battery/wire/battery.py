"""The whole wire battery against one deployment."""

from __future__ import annotations

import json
from dataclasses import replace

from tripoint.apps.battery.place import Place
from tripoint.apps.battery.verdict import Row, Tell, judged
from tripoint.apps.battery.wire.contents import content_rows
from tripoint.apps.battery.wire.destinations import destination_rows
from tripoint.apps.battery.wire.framing import framing_rows
from tripoint.apps.battery.wire.limits import limit_rows
from tripoint.apps.battery.wire.raw import chat_body, converse, request
from tripoint.domain.errors import UpstreamError

IDLE = 2000
QUICK_IDLE = 200
BODY_BAR_S = 75.0


async def wire_rows(
    place: Place, tell: Tell, *, is_quick: bool, idle: int | None = None, body_bar_s: float = BODY_BAR_S
) -> list[Row]:
    """Every row of the wire battery; the deployment must answer a plain request before and after.

    Raises `UpstreamError` where it does not answer at all or names no model.
    """
    place = await known(place)
    rows = [await _answers(place, "W0", "a plain request before the battery")]
    tell("framing: smuggling, chunks, lines, hosts")
    rows += await framing_rows(place)
    tell("contents: paths, bodies, headers, keys, errors")
    rows += await content_rows(place)
    tell("destinations: SSRF forms with a canary")
    rows += await destination_rows(place)
    count = idle if idle is not None else QUICK_IDLE if is_quick else IDLE
    tell(f"limits: oversize, slow headers{'' if is_quick else ' and bodies'}, {count:,} idle connections")
    rows += await limit_rows(place, is_quick=is_quick, idle=count, body_bar_s=body_bar_s)
    rows.append(await _answers(place, "W99", "a plain request after all that"))
    return sorted(rows, key=lambda row: int(row.id.removeprefix("W")))


async def known(place: Place) -> Place:
    """The place with a model to ask for: the first it lists, when none was named."""
    talk = await converse(place, [request(place, method="GET", path="/models")], patience_s=20)
    if talk.error or not talk.answers:
        raise UpstreamError(
            f"`{place.authority}` does not answer: {talk.error or 'connection closed'}",
            hint="check the address and that the gateway runs",
        )
    if place.model:
        return place
    try:
        models = [str(each["id"]) for each in json.loads(talk.answers[0].body)["data"]]
    except (ValueError, KeyError, TypeError):
        models = []
    if not models:
        raise UpstreamError(
            f"`{place.authority}` lists no model (status {talk.status})",
            hint="name one with `--model`, and the key's variable with `--key-env` where it asks for one",
        )
    return replace(place, model=models[0])


async def _answers(place: Place, id_: str, what: str) -> Row:
    talk = await converse(place, [request(place, body=chat_body(place))], patience_s=60)
    seen = f"{talk.status or talk.error or 'no answer'}, model `{place.model}`"
    return judged(id_, what, "answered 200", passed=talk.status == 200, seen=seen)
