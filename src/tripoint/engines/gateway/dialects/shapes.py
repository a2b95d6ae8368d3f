"""Members of requests and answers that a translation reads; what is not named here is not carried over unseen."""

from __future__ import annotations

from typing import Any

import msgspec


def _text(content: str | list[ChatPart] | None) -> str:
    """Text of content in either form."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join([part.text or "" for part in content])


class ImageUrl(msgspec.Struct):
    """Where an image of a chat message is: an address, or the image itself as a data address."""

    url: str


class FilePart(msgspec.Struct):
    """A file within a chat message."""

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class ChatPart(msgspec.Struct):
    """A part of a chat message."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: ImageUrl | None = None
    file: FilePart | None = None


class Function(msgspec.Struct):
    """A called function; its arguments are JSON in a string."""

    name: str | None = None
    arguments: str | None = None


class ToolCall(msgspec.Struct):
    """A tool call of a chat message."""

    id: str = ""
    type: str = "function"
    function: Function | None = None


class ChatMessage(msgspec.Struct):
    """A message of a chat request."""

    role: str
    content: str | list[ChatPart] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str = ""
    refusal: str | None = None


class FunctionSpec(msgspec.Struct):
    """A function the model may call."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ChatTool(msgspec.Struct):
    """A tool of a chat request."""

    type: str
    function: FunctionSpec | None = None


class ChatRequest(msgspec.Struct):
    """A chat request."""

    messages: list[ChatMessage]
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    tools: list[ChatTool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    response_format: dict[str, Any] | None = None
    reasoning_effort: str | None = None
    user: str | None = None
    functions: Any = None
    logprobs: bool | None = None
    logit_bias: dict[str, Any] | None = None
    modalities: list[str] | None = None
    web_search_options: Any = None


class AnswerMessage(msgspec.Struct):
    """The message of a chat answer."""

    content: str | list[ChatPart] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[ToolCall] | None = None

    def text(self) -> str:
        """Its text; a refusal is text too."""
        return _text(self.content) or self.refusal or ""


class AnswerChoice(msgspec.Struct):
    """A choice of a chat answer; `stop_reason` is what vLLM says beside the reason: the stop sequence met."""

    message: AnswerMessage
    finish_reason: str | None = None
    stop_reason: Any = None


class ChatAnswer(msgspec.Struct):
    """A chat answer."""

    choices: list[AnswerChoice]
    id: str = ""
    model: str = ""


class CallDelta(msgspec.Struct):
    """A piece of a tool call."""

    index: int = 0
    id: str | None = None
    function: Function | None = None


class ChatDelta(msgspec.Struct):
    """A piece of a chat answer."""

    content: str | list[ChatPart] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[CallDelta] | None = None

    def text(self) -> str:
        """Its text; a refusal is text too."""
        return _text(self.content) or self.refusal or ""


class ChunkChoice(msgspec.Struct):
    """A choice of a chunk."""

    delta: ChatDelta = msgspec.field(default_factory=ChatDelta)
    index: int = 0
    finish_reason: str | None = None
    stop_reason: Any = None


class ChatChunk(msgspec.Struct):
    """A chunk of a streamed chat answer."""

    id: str = ""
    model: str = ""
    choices: list[ChunkChoice] | None = None
    error: Any = None


class Source(msgspec.Struct):
    """Where an image or document of a block comes from."""

    type: str
    media_type: str = ""
    data: str = ""
    url: str = ""


class Block(msgspec.Struct):
    """A content block of a message."""

    type: str
    text: str | None = None
    source: Source | None = None
    title: str | None = None
    id: str = ""
    name: str = ""
    input: dict[str, Any] | None = None
    tool_use_id: str = ""
    content: str | list[Block] | None = None
    thinking: str | None = None


class Message(msgspec.Struct):
    """A message of a Messages request."""

    role: str
    content: str | list[Block]


class CustomTool(msgspec.Struct):
    """A tool of a Messages request."""

    name: str
    type: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    strict: bool | None = None


class ToolChoice(msgspec.Struct):
    """Which tool the model is to use."""

    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class OutputConfig(msgspec.Struct):
    """Shape and effort of the answer."""

    effort: str | None = None
    format: dict[str, Any] | None = None


class Metadata(msgspec.Struct):
    """Who asks."""

    user_id: str | None = None


class MessagesRequest(msgspec.Struct):
    """A Messages request."""

    messages: list[Message]
    max_tokens: int
    system: str | list[Block] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    tools: list[CustomTool] | None = None
    tool_choice: ToolChoice | None = None
    output_config: OutputConfig | None = None
    metadata: Metadata | None = None
    mcp_servers: Any = None
    container: Any = None


class MessageAnswer(msgspec.Struct):
    """A Messages answer."""

    content: list[Block]
    id: str = ""
    model: str = ""
    stop_reason: str | None = None


class BlockDelta(msgspec.Struct):
    """A piece of a block, or the end of a message."""

    type: str = ""
    text: str = ""
    partial_json: str = ""
    thinking: str = ""
    stop_reason: str | None = None


class MessageEvent(msgspec.Struct):
    """An event of a streamed Messages answer."""

    type: str
    index: int = 0
    message: MessageAnswer | None = None
    content_block: Block | None = None
    delta: BlockDelta | None = None
    error: Any = None
