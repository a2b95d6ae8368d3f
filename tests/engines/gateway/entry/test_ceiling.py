"""What may stand for a picture or a document is counted, however plainly the body around it was read."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.factories.serving import candidate

from tripoint.domain.serving import Api
from tripoint.engines.gateway.entry.ceiling import PICTURE_TOKENS, TEMPLATE_TOKENS, Ceiling
from tripoint.engines.gateway.wire.shapes.asked import Ask, read_members
from tripoint.engines.gateway.wire.shapes.plain import read_plainly

PER_TOKEN = 7
CONTEXT = 9_000_000
PARTS: dict[str, dict[str, Any]] = {
    "text": {"type": "text", "text": "what is this?"},
    "picture": {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    "sound": {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    "document": {"type": "file", "file": {"file_id": "file-1"}},
}
CONTENTS = st.one_of(
    st.text(max_size=60), st.sampled_from(['say "image" and "file"', "a[0] = {}"]),
    st.lists(st.sampled_from(sorted(PARTS)), max_size=4),
)  # fmt: skip
BESIDE = st.sampled_from([{}, {"temperature": 0.5}, {"tools": []}, {"file": "file-1"}])


@given(st.lists(CONTENTS, min_size=1, max_size=4), BESIDE)
def test_the_input_bound_holds_for_texts_and_parts(contents: list[Any], beside: dict[str, Any]) -> None:
    """Every byte a token, every picture and sound what such things take, a document a whole context."""
    kinds = [kind for content in contents if not isinstance(content, str) for kind in content]
    messages = [
        {"role": "user", "content": content if isinstance(content, str) else [PARTS[kind] for kind in content]}
        for content in contents
    ]
    told = {"model": "m", "messages": messages, "max_tokens": 1, **beside}
    body = json.dumps(told, separators=(",", ":")).encode()
    ask = Ask(Api.CHAT, body, read_members(body), ())
    assert read_plainly(ask, ask.members)
    tariff = candidate(0, share=1.0, context_tokens=CONTEXT)
    ceiling = Ceiling([tariff], 100)
    ceiling.pico_in, ceiling.pico_out, ceiling.pico_request = 1000 * PER_TOKEN, 0, 0
    for_another = json.dumps(told | {"messages": [{"role": "user", "content": "hi"}]}, separators=(",", ":")).encode()
    before = Ask(Api.CHAT, for_another, read_members(for_another), ())
    assert read_plainly(before, before.members)
    ceiling.nano(before)  # what is kept of one body holds for those like it only
    found = (ceiling.nano(ask) - 1) // PER_TOKEN
    least = len(body) + TEMPLATE_TOKENS + PICTURE_TOKENS * sum(kind in ("picture", "sound") for kind in kinds)
    if "document" in kinds or "file" in beside:
        least += CONTEXT
    assert found >= least
    if not kinds and not beside and not any('"' in content for content in contents):
        assert found == least
