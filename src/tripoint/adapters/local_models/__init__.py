"""Real model servers on this machine: llama.cpp over a tiny chat model made here and over MiniLM from its wheel."""

from tripoint.adapters.local_models.files import cache_folder, chat_model, embedding_model
from tripoint.adapters.local_models.process import ModelServer

__all__ = ["ModelServer", "cache_folder", "chat_model", "embedding_model"]
