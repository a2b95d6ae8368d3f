"""What does one event of a stream say? Usage, an end, content or an error."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import msgspec

from tripoint.domain.record import Usage
from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.shapes.reports import ABSENT, Report
from tripoint.engines.gateway.wire.usage import report_of, usage_of

BAD_EVENT = "invalid_event"
_FALSY = (b"null", b"{}", b'""', b"false", b"[]")
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Said(NamedTuple):
    """What one event says."""

    usage: Usage | None = None
    """Usage reported so far."""
    is_end: bool = False
    """True when the stream is complete with it."""
    is_content: bool = False
    """True when it carries something generated."""
    is_finish: bool = False
    """True when a choice gives its reason to finish."""
    is_usage_only: bool = False
    """True when it carries usage and no choice."""
    error: str = ""
    """Code of the error it reports."""
    text: str = ""
    """Text of the answer it carries."""


class Reading(Protocol):
    """Reads the events of one stream in order."""

    def read(self, data: bytes) -> Said:
        """What an event with these data says."""
        ...


_NOTHING = Said()
_BAD = Said(error=BAD_EVENT)


class _Delta(msgspec.Struct):
    # Some upstreams put parts where others put text: neither may make the event unreadable.
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None
    tool_calls: Any = None
    function_call: Any = None

    def has_more(self) -> bool:
        """True when it carries something beside text."""
        return bool(self.tool_calls or self.reasoning_content or self.reasoning or self.refusal or self.function_call)


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    text: Any = None
    finish_reason: Any = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


class _Fault(msgspec.Struct):
    code: str | int | None = None
    type: str | None = None


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None


class _Message(msgspec.Struct):
    usage: msgspec.Raw = ABSENT


class _MessageEvent(msgspec.Struct):
    type: str = ""
    message: _Message | None = None
    delta: _Part | None = None
    usage: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


class _Response(msgspec.Struct):
    usage: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


class _ResponseEvent(msgspec.Struct):
    type: str = ""
    delta: msgspec.Raw = ABSENT
    response: _Response | None = None
    code: str | int | None = None
    error: msgspec.Raw = ABSENT


_chunks = msgspec.json.Decoder(_Chunk)
_faults = msgspec.json.Decoder(_Fault)
_message_events = msgspec.json.Decoder(_MessageEvent)
_response_events = msgspec.json.Decoder(_ResponseEvent)
_texts = msgspec.json.Decoder(str)


def reading_of(api: Api) -> Reading:
    """A reading of a new stream of this interface."""
    if api is Api.MESSAGES:
        return MessagesReading()
    if api is Api.RESPONSES:
        return ResponsesReading()
    return ChunksReading()


def fault_code(raw: msgspec.Raw) -> str:
    """Code, else type, of an error member; empty when there is no error."""
    if not raw or (error := bytes(raw)) in _FALSY:
        return ""
    try:
        fault = _faults.decode(error)
    except _UNREADABLE:
        return "upstream_error"
    return str(fault.code or fault.type or "upstream_error")


class ChunksReading:
    """Chat and completions: chunks until `[DONE]`."""

    __slots__ = ()

    def read(self, data: bytes) -> Said:
        """See `Reading`."""
        if data.strip() == b"[DONE]":
            return Said(is_end=True)
        try:
            chunk = _chunks.decode(data)
        except _UNREADABLE:
            return _BAD
        report = report_of(chunk.usage)
        is_content = is_finish = False
        text = ""
        for choice in chunk.choices or ():
            said = choice.text if choice.delta is None else choice.delta.content
            is_content = is_content or bool(said) or (choice.delta is not None and choice.delta.has_more())
            is_finish = is_finish or bool(choice.finish_reason)
            # Only the first choice can be resumed elsewhere.
            text = text or (said if isinstance(said, str) else "")
        return Said(
            usage=usage_of(Api.CHAT, report) if report is not None else None,
            is_content=is_content,
            is_finish=is_finish,
            is_usage_only=report is not None and not chunk.choices,
            error=fault_code(chunk.error),
            text=text,
        )


class MessagesReading:
    """Messages: named events until `message_stop`; the counts of usage come in two of them."""

    __slots__ = ("_report",)

    def __init__(self) -> None:
        self._report = Report()

    def read(self, data: bytes) -> Said:
        """See `Reading`."""
        try:
            event = _message_events.decode(data)
        except _UNREADABLE:
            return _BAD
        kind = event.type
        if kind == "content_block_delta":
            part = event.delta
            text = part.text or "" if part is not None and part.type == "text_delta" else ""
            return Said(is_content=True, text=text)
        if kind == "message_start":
            return Said(usage=self._merged(event.message.usage if event.message is not None else ABSENT))
        if kind == "message_delta":
            return Said(usage=self._merged(event.usage))
        if kind == "message_stop":
            return Said(is_end=True)
        if kind == "error" or event.error:
            return Said(error=fault_code(event.error) or "upstream_error")
        return _NOTHING

    def _merged(self, raw: msgspec.Raw) -> Usage | None:
        """Usage with what this event adds; later counts replace earlier ones."""
        report = report_of(raw)
        if report is None:
            return None
        for name in Report.__struct_fields__:
            if (value := getattr(report, name)) is not None:
                setattr(self._report, name, value)
        return usage_of(Api.MESSAGES, self._report)


class ResponsesReading:
    """Responses: typed events until the response is completed, incomplete or failed."""

    __slots__ = ()

    def read(self, data: bytes) -> Said:
        """See `Reading`."""
        if data.strip() == b"[DONE]":
            return _NOTHING
        try:
            event = _response_events.decode(data)
        except _UNREADABLE:
            return _BAD
        kind = event.type
        if kind.endswith(".delta"):
            return Said(is_content=True, text=self._text(kind, event.delta))
        if kind == "error" or (event.response is None and event.error):
            return Said(error=str(event.code or "") or fault_code(event.error) or "upstream_error")
        response = event.response
        if response is None:
            return _NOTHING
        report = report_of(response.usage)
        return Said(
            usage=usage_of(Api.RESPONSES, report) if report is not None else None,
            is_end=kind in ("response.completed", "response.incomplete"),
            error=(fault_code(response.error) or "upstream_error") if kind == "response.failed" else "",
        )

    @staticmethod
    def _text(kind: str, raw: msgspec.Raw) -> str:
        """Text of a delta of the answer."""
        if not raw or kind != "response.output_text.delta":
            return ""
        try:
            return _texts.decode(raw)
        except _UNREADABLE:
            return ""
