"""A chat model small enough to be made on the spot: a real transformer in GGUF, its weights drawn from a seed.

Under a megabyte, two layers. The embedding of a token says its kind of word in dimensions of their own, and the
output rows score which kinds follow, so that sentences read like sentences; all other dimensions are random, pass
through attention and decide which word it is. Same seed, same file, byte for byte.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tripoint.adapters.local_models.extra import need
from tripoint.adapters.local_models.vocabulary import (
    BEGIN,
    CHAT_TEMPLATE,
    FIRST_BYTE,
    STOP,
    Token,
    WordKind,
    follow_scores,
    vocabulary,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

CONTEXT_TOKENS: Final = 4096
_WIDTH: Final = 64
_HEADS: Final = 4
_LAYERS: Final = 2
_INNER: Final = 128
_KINDS: Final = len(WordKind)
_CONSTANT: Final = _KINDS
"""Dimension that is the same for every token: it works as a bias, which this architecture does not have."""
_FREE: Final = _KINDS + 1
"""First dimension without a meaning of its own."""
_MARK: Final = 3.0
"""Size of the meaningful dimensions before the norm."""
_SPREAD: Final = 0.7
_NORMED: Final = _MARK / float(np.sqrt((2 * _MARK**2 + (_WIDTH - _FREE) * _SPREAD**2 * 1.6) / _WIDTH))
"""Their size after it, near enough: the layers add about 60 % to the others' variance."""
_TASTE: Final = 0.2
"""Spread of the preferences among words of a kind."""
_UNSPOKEN: Final = -30.0


def write_chat_model(path: Path, *, seed: int) -> None:
    """Writes the model of `seed` to `path`; raises `MissingExtraError` without the extra `local`."""
    need("gguf")
    gguf: Any = importlib.import_module("gguf")
    words = vocabulary()
    writer = gguf.GGUFWriter(str(path), "llama")
    _describe(writer, words, gguf)
    for name, tensor in _tensors(words, seed):
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: Any, words: tuple[Token, ...], gguf: Any) -> None:
    kinds = gguf.TokenType
    writer.add_name("tripoint tiny chat")
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_INNER)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    specials = [b"<unk>", b"<s>", b"</s>"]
    raw = [f"<0x{byte:02X}>".encode() for byte in range(256)]
    tokens = [*specials, *raw, *(token.text.encode() for token in words)]
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    # Longer pieces merge first, so that a known word is never read in parts.
    writer.add_token_scores([0.0] * FIRST_BYTE + [0.0] * 256 + [float(len(token.text)) for token in words])
    special = [kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL]
    writer.add_token_types([*special, *[kinds.BYTE] * 256, *[kinds.NORMAL] * len(words)])
    writer.add_bos_token_id(BEGIN)
    writer.add_eos_token_id(STOP)
    writer.add_unk_token_id(0)
    writer.add_chat_template(CHAT_TEMPLATE)


def _tensors(words: tuple[Token, ...], seed: int) -> list[tuple[str, Matrix]]:
    draw = np.random.Generator(np.random.PCG64(seed))

    def random(rows: int, columns: int, spread: float) -> Matrix:
        return (draw.standard_normal((rows, columns)) * spread).astype(np.float32)

    kinds = [WordKind.OUTSIDE] * FIRST_BYTE + [WordKind.OUTSIDE] * 256 + [token.kind for token in words]
    kinds[STOP] = WordKind.END
    embedding = random(len(kinds), _WIDTH, _SPREAD)
    embedding[:, :_FREE] = 0.0
    embedding[np.arange(len(kinds)), np.array(kinds, dtype=np.int64)] = _MARK
    embedding[:, _CONSTANT] = _MARK
    ones = np.ones(_WIDTH, dtype=np.float32)
    tensors: list[tuple[str, Matrix]] = [("token_embd.weight", embedding)]
    for layer in range(_LAYERS):
        block = f"blk.{layer}."
        tensors += [(block + "attn_norm.weight", ones), (block + "ffn_norm.weight", ones)]
        tensors += [(f"{block}attn_{part}.weight", random(_WIDTH, _WIDTH, 0.2)) for part in ("q", "k")]
        tensors.append((block + "attn_v.weight", random(_WIDTH, _WIDTH, 0.12)))
        tensors.append((block + "attn_output.weight", _sparing_marks(random(_WIDTH, _WIDTH, 0.12))))
        tensors.append((block + "ffn_gate.weight", random(_INNER, _WIDTH, 0.12)))
        tensors.append((block + "ffn_up.weight", random(_INNER, _WIDTH, 0.12)))
        tensors.append((block + "ffn_down.weight", _sparing_marks(random(_WIDTH, _INNER, 0.12))))
    tensors.append(("output_norm.weight", ones))
    tensors.append(("output.weight", _output(words, kinds, random(len(kinds), _WIDTH, _TASTE))))
    return tensors


def _sparing_marks(weights: Matrix) -> Matrix:
    """The weights of a layer that leaves the meaningful dimensions alone."""
    weights[:_FREE, :] = 0.0
    return weights


def _output(words: tuple[Token, ...], kinds: list[WordKind], rows: Matrix) -> Matrix:
    """Output rows: seeded preferences among words of a kind, and log-odds of the kinds by the one before."""
    spoken = np.zeros(len(kinds), dtype=bool)
    spoken[FIRST_BYTE + 256 :] = [token.is_word for token in words]
    spoken[STOP] = True
    rows[:, :_FREE] = 0.0
    rows[~spoken] = 0.0
    rows[~spoken, _CONSTANT] = _UNSPOKEN / _NORMED
    rows[spoken, _CONSTANT] = -8.0 / _NORMED
    is_alone = np.array([kind in (WordKind.PERIOD, WordKind.END) for kind in kinds])
    rows[spoken & is_alone, _FREE:] *= 0.5  # a kind of one word has no rivals of its kind to choose among
    ranks = np.array(kinds, dtype=np.int64)
    for before in WordKind:
        for after, score in follow_scores(before).items():
            rows[spoken & (ranks == after), before] = score / _NORMED
    return rows
