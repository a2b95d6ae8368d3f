"""What does one event of a stream say? Usage, an end, content or an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from tripoint.domain.record import Usage
from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.shapes.reports import (
    ABSENT,
    UNREADABLE,
    Report,
    decode_chunk,
    decode_fault,
    decode_message_event,
    decode_response_event,
    decode_text,
)
from tripoint.engines.gateway.wire.usage import report_of, usage_of

if TYPE_CHECKING:
    import msgspec

    from tripoint.engines.gateway.wire.shapes.reports import Delta

BAD_EVENT: Final = "invalid_event"
_FALSY: Final[tuple[bytes, ...]] = (b"null", b"{}", b'""', b"false", b"[]")


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


_NOTHING: Final = Said()
_END: Final = Said(is_end=True)
_BAD: Final = Said(error=BAD_EVENT)
# The plain way to a named tuple goes through code of Python, even where this module is compiled.
_new: Final = tuple.__new__
_SAID: Final = Said  # compiled, a name that was imported is looked up at each use
_read_chunk: Final = decode_chunk
_CHAT: Final = Api.CHAT


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
        fault = decode_fault(error)
    except UNREADABLE:
        return "upstream_error"
    return str(fault.code or fault.type or "upstream_error")


class ChunksReading:
    """Chat and completions: chunks until `[DONE]`."""

    __slots__ = ()

    def read(self, data: bytes) -> Said:
        """See `Reading`."""
        if data.strip() == b"[DONE]":
            return _END
        try:
            chunk = _read_chunk(data)
        except UNREADABLE:
            return _BAD
        report, choices = report_of(chunk.usage), chunk.choices
        is_content = is_finish = False
        text = ""
        for choice in choices or ():
            delta = choice.delta
            said = choice.text if delta is None else delta.content
            if said:
                is_content = True
                # Only the first choice can be resumed elsewhere.
                if not text and isinstance(said, str):
                    text = said
            elif delta is not None and not is_content:
                is_content = _has_more(delta)
            if choice.finish_reason:
                is_finish = True
        usage = None if report is None else usage_of(_CHAT, report)
        error = fault_code(chunk.error) if chunk.error else ""
        return _new(_SAID, (usage, False, is_content, is_finish, report is not None and not choices, error, text))


def _has_more(delta: Delta) -> bool:
    """True when it carries something beside text."""
    return bool(delta.tool_calls or delta.reasoning_content or delta.reasoning or delta.refusal or delta.function_call)


class MessagesReading:
    """Messages: named events until `message_stop`; the counts of usage come in two of them."""

    __slots__ = ("_report",)

    def __init__(self) -> None:
        self._report = Report()

    def read(self, data: bytes) -> Said:
        """See `Reading`."""
        try:
            event = decode_message_event(data)
        except UNREADABLE:
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
            event = decode_response_event(data)
        except UNREADABLE:
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
            return decode_text(raw)
        except UNREADABLE:
            return ""
