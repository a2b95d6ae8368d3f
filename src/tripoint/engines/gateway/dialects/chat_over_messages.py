"""A chat request served by an upstream that speaks Messages: the request there, the answer back."""

from __future__ import annotations

from typing import Any

import msgspec

from tripoint.domain.serving import Api
from tripoint.engines.gateway.dialects.chat_over_messages_stream import ChatOverMessagesStream
from tripoint.engines.gateway.dialects.shapes import (
    ChatMessage,
    ChatPart,
    ChatRequest,
    ChatTool,
    FilePart,
    MessageAnswer,
    ToolCall,
)
from tripoint.engines.gateway.dialects.words import (
    FINISH_REASONS,
    UNREADABLE,
    TranslationError,
    bounded,
    cannot_carry,
    chat_usage,
    misshapen,
    told,
    translated_error,
    written,
)
from tripoint.engines.gateway.wire.ask import Ask
from tripoint.engines.gateway.wire.malformed import Malformed
from tripoint.engines.gateway.wire.usage import read_usage

DEFAULT_MAX_TOKENS = 4_096
"""Messages demands a limit; this one is set where the caller set none."""
_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh"}
_CHOICES = {"auto": "auto", "required": "any", "none": "none"}

_requests = msgspec.json.Decoder(ChatRequest)
_answers = msgspec.json.Decoder(MessageAnswer)
_objects = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.Encoder().encode

Block = dict[str, Any]


class ChatOverMessages:
    """Translates chat requests and their answers."""

    __slots__ = ()

    def request(self, ask: Ask, name: str) -> bytes:
        """See `Translation`."""
        try:
            chat = _requests.decode(bounded(ask.body))
        except UNREADABLE as error:
            raise misshapen(error) from None
        if ask.choices > 1:
            raise cannot_carry("n", "more than one choice")
        _refuse_unknown(chat)
        system, messages = _conversation(chat.messages)
        request = {"model": name, **_sampling(chat), "messages": messages}
        if system:
            request["system"] = system
        if chat.user:
            request["metadata"] = {"user_id": chat.user}
        if chat.tools:
            request["tools"] = [_tool(tool) for tool in chat.tools]
        if (choice := _tool_choice(chat)) is not None:
            request["tool_choice"] = choice
        if output := _output(chat):
            request["output_config"] = output
        return written(request)

    def answer(self, body: bytes, *, created: int = 0) -> bytes:
        """See `Translation`."""
        try:
            message = _answers.decode(body)
        except UNREADABLE as error:
            raise TranslationError(f"the upstream's answer is not a message: {error}") from None
        text: list[str] = []
        thought: list[str] = []
        calls: list[Block] = []
        for block in message.content:
            if block.type == "text":
                text.append(block.text or "")
            elif block.type == "thinking":
                thought.append(block.thinking or "")
            elif block.type == "tool_use":
                function = {"name": block.name, "arguments": _encode(block.input or {}).decode()}
                calls.append({"id": block.id, "type": "function", "function": function})
        said: Block = {"role": "assistant", "content": "".join(text) if text or not calls else None, "refusal": None}
        if thought:
            said["reasoning_content"] = "".join(thought)
        if calls:
            said["tool_calls"] = calls
        reason = FINISH_REASONS.get(message.stop_reason or "", "stop")
        answer: Block = {
            "id": message.id or "chatcmpl-0",
            "object": "chat.completion",
            "created": created,
            "model": message.model,
            "choices": [{"index": 0, "message": said, "logprobs": None, "finish_reason": reason}],
        }
        usage = read_usage(Api.MESSAGES, body)
        if usage is not None:
            answer["usage"] = chat_usage(usage)
        return told(answer)

    def error(self, status: int, body: bytes) -> bytes:
        """See `Translation`."""
        return translated_error(Api.CHAT, status, body)

    def stream(self, ask: Ask, *, created: int = 0) -> ChatOverMessagesStream:
        """See `Translation`."""
        return ChatOverMessagesStream(created, wants_usage=ask.wants_usage)


def _refuse_unknown(chat: ChatRequest) -> None:
    """Refuses what would change the answer and has no counterpart; hints such as penalties and seeds are left out."""
    if chat.functions:
        raise cannot_carry("functions", "the older form of tools")
    if chat.logprobs:
        raise cannot_carry("logprobs", "a wish for log probabilities")
    if chat.logit_bias:
        raise cannot_carry("logit_bias", "a bias of tokens")
    if chat.modalities and chat.modalities != ["text"]:
        raise cannot_carry("modalities", "an answer in sound")
    if chat.web_search_options is not None:
        raise cannot_carry("web_search_options", "a web search")


def _sampling(chat: ChatRequest) -> Block:
    """How the answer is to be made."""
    limit = chat.max_completion_tokens if chat.max_completion_tokens is not None else chat.max_tokens
    sampling: Block = {"max_tokens": DEFAULT_MAX_TOKENS if limit is None else max(limit, 1)}
    if chat.stream:
        sampling["stream"] = True
    if chat.temperature is not None:
        # Messages knows no temperature above one.
        sampling["temperature"] = min(chat.temperature, 1.0)
    if chat.top_p is not None:
        sampling["top_p"] = chat.top_p
    if chat.top_k is not None:
        sampling["top_k"] = chat.top_k
    if chat.stop:
        sampling["stop_sequences"] = [chat.stop] if isinstance(chat.stop, str) else chat.stop
    return sampling


def _conversation(messages: list[ChatMessage]) -> tuple[list[Block], list[Block]]:
    """The system prompt's blocks, and the other messages with neighbours of one role joined."""
    system: list[Block] = []
    turns: list[Block] = []
    for message in messages:
        role = message.role
        if role in ("system", "developer"):
            system += _blocks(message)
            continue
        if role == "tool":
            role, blocks = "user", [_tool_result(message)]
        elif role == "assistant":
            blocks = _blocks(message) + [_tool_use(call) for call in message.tool_calls or ()]
        elif role == "user":
            blocks = _blocks(message)
        else:
            raise cannot_carry("messages", f"a message of role `{role}`")
        if not blocks:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return system, turns


def _blocks(message: ChatMessage) -> list[Block]:
    """Content of a message; Messages refuses empty texts, which say nothing."""
    content = message.content
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    blocks = [_block(part) for part in content or ()]
    if message.refusal:
        blocks.append({"type": "text", "text": message.refusal})
    return [block for block in blocks if block.get("text") != ""]


def _block(part: ChatPart) -> Block:
    """A part of a message as a block."""
    if part.type == "text":
        return {"type": "text", "text": part.text or ""}
    if part.type == "refusal":
        return {"type": "text", "text": part.refusal or ""}
    if part.type == "image_url" and part.image_url is not None:
        return {"type": "image", "source": _source(part.image_url.url)}
    if part.type == "file" and part.file is not None:
        return _document(part.file)
    raise cannot_carry("messages", f"a part of type `{part.type}`")


def _source(url: str) -> Block:
    """Where an image is."""
    if not url.startswith("data:"):
        return {"type": "url", "url": url}
    kind, _, encoded = url[5:].partition(",")
    media, is_base64, _ = kind.partition(";base64")
    if not is_base64 or not encoded:
        raise Malformed("invalid_value", "an image given as a data address must be in base64", "messages")
    return {"type": "base64", "media_type": media or "image/png", "data": encoded}


def _document(file: FilePart) -> Block:
    """A file as a document; only PDF given in full."""
    if not file.file_data:
        raise cannot_carry("messages", "a file by its id")
    encoded = file.file_data
    if encoded.startswith("data:"):
        kind, _, encoded = encoded[5:].partition(",")
        if not kind.startswith("application/pdf"):
            raise cannot_carry("messages", f"a file of type `{kind.partition(';')[0][:64]}`")
    block: Block = {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": encoded},
    }
    if file.filename:
        block["title"] = file.filename
    return block


def _tool_use(call: ToolCall) -> Block:
    """A call the model made earlier."""
    if call.function is None:
        raise cannot_carry("messages", f"a tool call of type `{call.type}`")
    try:
        arguments = _objects.decode(call.function.arguments or "{}")
    except UNREADABLE:
        what = f"the arguments of tool call `{call.id[:64]}` are not a JSON object"
        raise Malformed("invalid_value", what, "messages") from None
    return {"type": "tool_use", "id": call.id, "name": call.function.name, "input": arguments}


def _tool_result(message: ChatMessage) -> Block:
    """What a tool answered."""
    result: Block = {"type": "tool_result", "tool_use_id": message.tool_call_id}
    if isinstance(message.content, str):
        result["content"] = message.content
    else:
        result["content"] = _blocks(message)
    return result


def _tool(tool: ChatTool) -> Block:
    """A tool the model may call."""
    spec = tool.function
    if tool.type != "function" or spec is None:
        raise cannot_carry("tools", f"a tool of type `{tool.type}`")
    translated: Block = {
        "name": spec.name,
        "input_schema": spec.parameters or {"type": "object", "properties": {}},
    }
    if spec.description:
        translated["description"] = spec.description
    if spec.strict is not None:
        translated["strict"] = spec.strict
    return translated


def _tool_choice(chat: ChatRequest) -> Block | None:
    """Which tool is to be used, and whether several may be at once."""
    choice = chat.tool_choice
    translated: Block | None = None
    if isinstance(choice, str):
        if choice not in _CHOICES:
            raise cannot_carry("tool_choice", f"the choice `{choice[:64]}`")
        translated = {"type": _CHOICES[choice]}
    elif choice is not None:
        function = choice.get("function")
        name = function.get("name") if isinstance(function, dict) else None
        if choice.get("type") != "function" or not isinstance(name, str):
            raise cannot_carry("tool_choice", "a choice other than one function")
        translated = {"type": "tool", "name": name}
    if chat.tools and chat.parallel_tool_calls is False and (translated or {}).get("type") != "none":
        translated = {**(translated or {"type": "auto"}), "disable_parallel_tool_use": True}
    return translated if chat.tools else None


def _output(chat: ChatRequest) -> Block:
    """Shape and effort of the answer."""
    output: Block = {}
    wanted = chat.response_format or {"type": "text"}
    if wanted.get("type") == "json_schema":
        schema = wanted.get("json_schema")
        if not isinstance(schema, dict) or not isinstance(schema.get("schema"), dict):
            raise Malformed("invalid_value", "`response_format.json_schema.schema` is missing", "response_format")
        output["format"] = {"type": "json_schema", "schema": schema["schema"]}
    elif wanted.get("type") != "text":
        raise cannot_carry("response_format", "JSON without a schema")
    if chat.reasoning_effort in _EFFORTS:
        output["effort"] = _EFFORTS[chat.reasoning_effort]
    return output
