"""A Messages request served by an upstream that speaks chat: the request there, the answer back."""

from __future__ import annotations

from typing import Any

import msgspec

from tripoint.domain.record import Usage
from tripoint.domain.serving import Api
from tripoint.engines.gateway.dialects.messages_over_chat_stream import MessagesOverChatStream
from tripoint.engines.gateway.dialects.shapes import (
    Block,
    ChatAnswer,
    CustomTool,
    Message,
    MessagesRequest,
    Source,
    ToolCall,
    ToolChoice,
)
from tripoint.engines.gateway.dialects.words import (
    UNREADABLE,
    TranslationError,
    bounded,
    cannot_carry,
    messages_usage,
    misshapen,
    stop_reason,
    told,
    translated_error,
    written,
)
from tripoint.engines.gateway.wire.ask import Ask
from tripoint.engines.gateway.wire.usage import read_usage

_CHOICES = {"auto": "auto", "any": "required", "none": "none"}
_EFFORTS = {"low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "xhigh"}
# Earlier thoughts carry a signature only their author can check; chat has no word for them.
_UNSAID = ("thinking", "redacted_thinking")

_requests = msgspec.json.Decoder(MessagesRequest)
_answers = msgspec.json.Decoder(ChatAnswer)
_objects = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.Encoder().encode

Part = dict[str, Any]


class MessagesOverChat:
    """Translates Messages requests and their answers."""

    __slots__ = ()

    def request(self, ask: Ask, name: str) -> bytes:
        """See `Translation`."""
        try:
            asked = _requests.decode(bounded(ask.body))
        except UNREADABLE as error:
            raise misshapen(error) from None
        if asked.mcp_servers:
            raise cannot_carry("mcp_servers", "a connection to tool servers")
        if asked.container is not None:
            raise cannot_carry("container", "a container")
        request: Part = {"model": name, **_sampling(asked), "messages": _conversation(asked)}
        if asked.metadata is not None and asked.metadata.user_id:
            request["user"] = asked.metadata.user_id
        if asked.tools:
            request["tools"] = [_tool(tool) for tool in asked.tools]
            if asked.tool_choice is not None:
                request.update(_tool_choice(asked.tool_choice))
        if asked.output_config is not None:
            request.update(_output(asked.output_config.format, asked.output_config.effort))
        return written(request)

    def answer(self, body: bytes, *, created: int = 0) -> bytes:
        """See `Translation`; messages do not say when they were made."""
        del created
        try:
            chat = _answers.decode(body)
        except UNREADABLE as error:
            raise TranslationError(f"the upstream's answer is not a chat completion: {error}") from None
        if not chat.choices:
            raise TranslationError("the upstream's answer has no choice")
        choice = chat.choices[0]
        message = choice.message
        content: list[Part] = []
        if thought := message.reasoning_content or message.reasoning:
            content.append({"type": "thinking", "thinking": thought, "signature": ""})
        if text := message.text():
            content.append({"type": "text", "text": text})
        content += [_called(call) for call in message.tool_calls or ()]
        reason, met = stop_reason(choice.finish_reason, choice.stop_reason, has_calls=bool(message.tool_calls))
        usage = read_usage(Api.CHAT, body) or Usage(0, len(body) // 4)
        return told(
            {
                "id": chat.id or "msg_0",
                "type": "message",
                "role": "assistant",
                "model": chat.model,
                "content": content,
                "stop_reason": reason,
                "stop_sequence": met,
                "usage": messages_usage(usage),
            }
        )

    def error(self, status: int, body: bytes) -> bytes:
        """See `Translation`."""
        return translated_error(Api.MESSAGES, status, body)

    def stream(self, ask: Ask, *, created: int = 0) -> MessagesOverChatStream:
        """See `Translation`."""
        del created
        return MessagesOverChatStream(ask.tokens_in)


def _sampling(asked: MessagesRequest) -> Part:
    """How the answer is to be made."""
    sampling: Part = {"max_completion_tokens": asked.max_tokens}
    if asked.stream:
        sampling["stream"] = True
        sampling["stream_options"] = {"include_usage": True}
    if asked.top_k == 1:
        # Chat has no such limit; this one means the same.
        sampling["temperature"] = 0.0
    elif asked.temperature is not None:
        sampling["temperature"] = asked.temperature
    if asked.top_p is not None:
        sampling["top_p"] = asked.top_p
    if asked.stop_sequences:
        sampling["stop"] = asked.stop_sequences
    return sampling


def _conversation(asked: MessagesRequest) -> list[Part]:
    """The system prompt and the messages; results of tools become messages of their own."""
    messages: list[Part] = []
    if asked.system:
        messages.append({"role": "system", "content": _text_of(asked.system)})
    for message in asked.messages:
        if message.role == "user":
            messages += _user(message)
        elif message.role == "assistant":
            messages.append(_assistant(message))
        elif message.role == "system":
            messages.append({"role": "system", "content": _text_of(message.content)})
        else:
            raise cannot_carry("messages", f"a message of role `{message.role[:64]}`")
    return messages


def _text_of(content: str | list[Block]) -> str:
    """Text of content that holds nothing else."""
    if isinstance(content, str):
        return content
    for block in content:
        if block.type != "text":
            raise cannot_carry("messages", f"a block of type `{block.type[:64]}` here")
    return "\n".join([block.text or "" for block in content])


def _user(message: Message) -> list[Part]:
    """A user's message: results of tools first, each a message, then what else it holds."""
    if isinstance(message.content, str):
        return [{"role": "user", "content": message.content}]
    results: list[Part] = []
    parts: list[Part] = []
    for block in message.content:
        if block.type == "tool_result":
            text, others = _result(block)
            results.append({"role": "tool", "tool_call_id": block.tool_use_id, "content": text})
            parts += others
        else:
            parts.append(_part(block))
    if not parts:
        return results
    if all(part["type"] == "text" for part in parts) and len(parts) == 1:
        return [*results, {"role": "user", "content": parts[0]["text"]}]
    return [*results, {"role": "user", "content": parts}]


def _result(block: Block) -> tuple[str, list[Part]]:
    """Text of a tool's result, and what of it a tool's message cannot hold (images)."""
    content = block.content
    if content is None or isinstance(content, str):
        return content or "", []
    texts = [inner.text or "" for inner in content if inner.type == "text"]
    return "\n".join(texts), [_part(inner) for inner in content if inner.type != "text"]


def _part(block: Block) -> Part:
    """A block of a user's message as a part."""
    source = block.source
    if block.type == "text":
        return {"type": "text", "text": block.text or ""}
    if block.type == "image" and source is not None:
        return {"type": "image_url", "image_url": {"url": _address(source)}}
    if block.type == "document" and source is not None and source.type == "base64":
        file = {"filename": block.title or "document.pdf", "file_data": _address(source)}
        return {"type": "file", "file": file}
    if block.type == "document" and source is not None and source.type == "text":
        return {"type": "text", "text": source.data}
    raise cannot_carry("messages", f"a block of type `{block.type[:64]}`")


def _address(source: Source) -> str:
    """Address of an image or document, a data address when it is given in full."""
    if source.type == "base64":
        return f"data:{source.media_type};base64,{source.data}"
    if source.type == "url":
        return source.url
    raise cannot_carry("messages", f"a source of type `{source.type[:64]}`")


def _assistant(message: Message) -> Part:
    """What the model said earlier."""
    if isinstance(message.content, str):
        return {"role": "assistant", "content": message.content}
    texts: list[str] = []
    calls: list[Part] = []
    for block in message.content:
        if block.type == "text":
            texts.append(block.text or "")
        elif block.type == "tool_use":
            function = {"name": block.name, "arguments": _encode(block.input or {}).decode()}
            calls.append({"id": block.id, "type": "function", "function": function})
        elif block.type not in _UNSAID:
            raise cannot_carry("messages", f"a block of type `{block.type[:64]}`")
    said: Part = {"role": "assistant", "content": "".join(texts) if texts or not calls else None}
    if calls:
        said["tool_calls"] = calls
    return said


def _called(call: ToolCall) -> Part:
    """A tool call of an answer as a block."""
    if call.function is None:
        raise TranslationError(f"the upstream called a tool of type `{call.type[:64]}`")
    try:
        arguments = _objects.decode(call.function.arguments or "{}")
    except UNREADABLE:
        # The caller's tool will say what is wrong with it; dropping the call would hide it.
        arguments = {"arguments": call.function.arguments}
    return {"type": "tool_use", "id": call.id, "name": call.function.name, "input": arguments}


def _tool(tool: CustomTool) -> Part:
    """A tool the model may call."""
    if tool.type not in (None, "custom"):
        raise cannot_carry("tools", f"a tool of type `{tool.type[:64]}`")
    function: Part = {"name": tool.name, "parameters": tool.input_schema or {"type": "object", "properties": {}}}
    if tool.description:
        function["description"] = tool.description
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _tool_choice(choice: ToolChoice) -> Part:
    """Which tool is to be used, and whether several may be at once."""
    members: Part = {}
    if choice.type == "tool":
        members["tool_choice"] = {"type": "function", "function": {"name": choice.name or ""}}
    elif choice.type in _CHOICES:
        members["tool_choice"] = _CHOICES[choice.type]
    else:
        raise cannot_carry("tool_choice", f"the choice `{choice.type[:64]}`")
    if choice.disable_parallel_tool_use:
        members["parallel_tool_calls"] = False
    return members


def _output(wanted: Part | None, effort: str | None) -> Part:
    """Shape and effort of the answer."""
    members: Part = {}
    if wanted is not None:
        if wanted.get("type") != "json_schema" or not isinstance(wanted.get("schema"), dict):
            raise cannot_carry("output_config", "an answer of this format")
        members["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": wanted["schema"], "strict": True},
        }
    if effort in _EFFORTS:
        members["reasoning_effort"] = _EFFORTS[effort]
    return members
