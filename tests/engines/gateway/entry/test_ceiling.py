"""What may stand for a picture or a document is counted, however plainly the body around it was read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.serving import candidate

from tripoint.domain.serving import Api
from tripoint.engines.gateway.entry.ceiling import PICTURE_TOKENS, TEMPLATE_TOKENS, Ceiling, words_of
from tripoint.engines.gateway.wire.ask import read_ask
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


RUNS = st.builds(lambda text, size: (text * size)[:size], st.sampled_from(["a", "image ", "file", "é", "\\"]), (
    st.one_of(st.integers(0, 2_000), st.integers(8_100, 8_300), st.integers(8_192, 40_000))
))  # fmt: skip
WORDS = st.sampled_from(["image", '"image', "input_audio", '"input_audio"', '"file', "document", '"mcp"', '"', "[", ""])
LONG = st.lists(st.one_of(RUNS, WORDS), max_size=5).map("".join)
LONG_PARTS = st.one_of(
    LONG.map(lambda text: {"type": "text", "text": text}),
    LONG.map(lambda text: {"type": "image_url", "image_url": {"url": text}}),
    LONG.map(lambda text: {"type": "file", "file": {"file_data": text}}),
    LONG.map(lambda text: {"type": "image", "source": {"data": text}}),
)


@given(
    st.sampled_from([Api.CHAT, Api.MESSAGES, Api.RESPONSES]),
    st.lists(st.one_of(LONG, st.lists(LONG_PARTS, max_size=3)), min_size=1, max_size=4),
    st.integers(33_000, 90_000),
)
def test_a_large_body_is_bounded_alike_with_and_without_its_long_stretches(
    api: Api, contents: list[Any], size: int
) -> None:
    """Nothing that counts is lost with what was cut out of it, nor comes about where it was."""
    messages = [{"role": "user", "content": content} for content in (*contents, "b" * size)]
    name = "input" if api is Api.RESPONSES else "messages"
    told: dict[str, Any] = {"model": "m", name: messages, "max_tokens": 1}
    body = json.dumps(told, ensure_ascii=False).encode()
    ask = read_ask(api, body)
    assert ask.cuts
    ceiling = Ceiling([candidate(0, share=1.0, context_tokens=CONTEXT)], 100)
    ceiling.pico_in, ceiling.pico_out, ceiling.pico_request = 1000 * PER_TOKEN, 0, 0
    whole = Ask(api, body, read_members(body), ())
    assert ceiling.nano(ask) == ceiling.nano(whole)
    words = [b'"image', b'"input_audio'] if api is Api.CHAT else [b'"image']
    if api is not Api.RESPONSES and b'"file' not in body and b'"document' not in body and b'"mcp' not in body:
        pictures = sum(body.count(word) for word in words)
        assert (ceiling.nano(ask) - 1) // PER_TOKEN == len(body) + TEMPLATE_TOKENS + PICTURE_TOKENS * pictures


@given(st.integers(0, 20_000), st.integers(1, 8), st.integers(0, 3))
def test_words_are_counted_wherever_they_begin_in_a_body_without_long_stretches(
    before: int, every: int, beyond: int
) -> None:
    """Many short messages: words are looked for in windows, and one that spans two of them counts once."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "c" * (before % 7_000)}] * 3
    messages += [{"role": "user", "content": [PARTS["picture"]] * every + [PARTS["text"]] * beyond}] * 300
    body = json.dumps({"model": "m", "messages": messages, "max_tokens": 1}).encode()
    ask = read_ask(Api.CHAT, body)
    assert not ask.cuts
    ceiling = Ceiling([candidate(0, share=1.0, context_tokens=CONTEXT)], 100)
    ceiling.pico_in, ceiling.pico_out, ceiling.pico_request = 1000 * PER_TOKEN, 0, 0
    found = (ceiling.nano(ask) - 1) // PER_TOKEN
    assert found == len(body) + TEMPLATE_TOKENS + PICTURE_TOKENS * body.count(b'"image')


@pytest.mark.parametrize("api", [Api.CHAT, Api.MESSAGES, Api.RESPONSES])
def test_every_word_begins_with_a_quote_and_holds_no_other_but_at_its_end(api: Api) -> None:
    """What is looked for where long stretches were cut out must not begin within one."""
    for word in sum(words_of(api), ()):
        assert word[:1] == b'"'
        assert b'"' not in word[1:-1]
        assert len(word) < 1_024


@given(
    st.sampled_from([Api.CHAT, Api.MESSAGES, Api.RESPONSES]),
    st.lists(st.sampled_from(sorted(PARTS)), min_size=1, max_size=4),
    st.sets(st.integers(0, 400)),
    st.sampled_from([0, 40_000]),
)
def test_spelling_a_word_with_escapes_lowers_no_bound(api: Api, kinds: list[str], escaped: set[int], size: int) -> None:
    """JSON may spell any sign of a name as an escape, and means the same: what counts plainly counts so too."""
    content = [PARTS[kind] for kind in kinds]
    name = "input" if api is Api.RESPONSES else "messages"
    messages = [{"role": "user", "content": "b" * size}, {"role": "user", "content": content}]
    inner = json.dumps(content)
    spelled = "".join(
        f"\\u{ord(sign):04x}" if sign.isalpha() and at in escaped else sign for at, sign in enumerate(inner)
    )
    plain = json.dumps({"model": "m", name: messages, "max_tokens": 1})
    ceiling = Ceiling([candidate(0, share=1.0, context_tokens=CONTEXT)], 100)
    ceiling.pico_in, ceiling.pico_out, ceiling.pico_request = 1000 * PER_TOKEN, 0, 0

    def beside(body: bytes) -> int:
        return (ceiling.nano(read_ask(api, body)) - 1) // PER_TOKEN - len(body)

    assert beside(plain.replace(inner, spelled).encode()) == beside(plain.encode())


def test_whoever_spells_everything_with_escapes_is_taken_to_ask_for_more_than_they_can_hide() -> None:
    """Reading each of a million escapes would keep everybody else waiting, and is no way around the bound."""
    spelled = "".join(f"\\u{ord(sign):04x}" for sign in "image") * 200_000
    body = f'{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":"{spelled}"}}]}}'.encode()
    ceiling = Ceiling([candidate(0, share=1.0, context_tokens=CONTEXT)], 100)
    ceiling.pico_in, ceiling.pico_out, ceiling.pico_request = 1000 * PER_TOKEN, 0, 0
    ask = read_ask(Api.CHAT, body)
    assert not ask.cuts
    plain = len(body) + TEMPLATE_TOKENS + PICTURE_TOKENS * 200_000 + CONTEXT
    assert (ceiling.nano(ask) - 1) // PER_TOKEN >= plain
