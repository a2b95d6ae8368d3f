"""Requests whose ends two readers could see in different places: the root of request smuggling."""

from __future__ import annotations

from collections.abc import Iterable

from tripoint.apps.battery.place import Place
from tripoint.apps.battery.verdict import Row
from tripoint.apps.battery.wire.attack import Attack, harmless, refused, tried
from tripoint.apps.battery.wire.raw import Talk, chat_body, request

_REFUSED = "refused with one 4xx or none, connection closed"


async def framing_rows(place: Place) -> list[Row]:
    """Lengths, transfer codings, chunks, lines and hosts that must not be taken in two ways."""
    return [
        await tried(
            place, ("W1", "lengths and transfer codings that contradict each other", _REFUSED), _lengths(place)
        ),
        await tried(place, ("W2", "transfer codings in disguise", _REFUSED), _codings(place)),
        await tried(place, ("W3", "broken chunks", _REFUSED), _chunks(place)),
        await tried(place, ("W4", "broken lines, names and versions", _REFUSED), _lines(place)),
        await tried(place, ("W5", "Host missing, doubled or malformed", _REFUSED), _hosts(place)),
        await tried(place, ("W6", "well-formed oddities", "each request answered once, in order"), _oddities(place)),
    ]


def _smuggled(place: Place) -> bytes:
    """A second request hidden behind the first; an answer to it is the proof of smuggling."""
    return request(place, method="GET", path="/models")


def _post(place: Place, lines: Iterable[str], rest: bytes, *, version: str = "1.1") -> bytes:
    head = [f"POST {place.base_path}/chat/completions HTTP/{version}", f"Host: {place.authority}"]
    head += [f"Authorization: Bearer {place.key}"] if place.key else []
    return ("\r\n".join([*head, "Content-Type: application/json", *lines]) + "\r\n\r\n").encode("latin-1") + rest


def _chunked(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def _lengths(place: Place) -> list[Attack]:
    body = chat_body(place)
    size, hidden = len(body), _smuggled(place)
    cases: dict[str, tuple[list[str], bytes]] = {
        "length and chunked": ([f"Content-Length: {size}", "Transfer-Encoding: chunked"], _chunked(body) + hidden),
        "chunked and length": (["Transfer-Encoding: chunked", f"Content-Length: {size}"], _chunked(body) + hidden),
        "chunked and length 0": (["Transfer-Encoding: chunked", "Content-Length: 0"], _chunked(body) + hidden),
        "two lengths": ([f"Content-Length: {size}", f"Content-Length: {size + len(hidden)}"], body + hidden),
        "the same length twice": ([f"Content-Length: {size}"] * 2, body + hidden),
        "a list of lengths": ([f"Content-Length: {size}, {size}"], body + hidden),
        "length with a sign": ([f"Content-Length: +{size}"], body + hidden),
        "negative length": (["Content-Length: -1"], body + hidden),
        "hexadecimal length": ([f"Content-Length: 0x{size:x}"], body + hidden),
        "length with a blank inside": (["Content-Length: 1 0"], body + hidden),
        "length with a fraction": ([f"Content-Length: {size}.0"], body + hidden),
        "empty length": (["Content-Length:"], body + hidden),
        "length beyond 64 bits": ([f"Content-Length: {2**64 + size}"], body + hidden),
        "blank before the colon of the length": ([f"Content-Length : {size}"], body + hidden),
    }
    return [Attack(name=name, pieces=(_post(place, *case),), judge=refused) for name, case in cases.items()]


def _codings(place: Place) -> list[Attack]:
    body = chat_body(place)
    size, rest = len(body), _chunked(body) + _smuggled(place)
    cases = {
        "unknown coding": ["Transfer-Encoding: xchunked"],
        "chunked is not last": ["Transfer-Encoding: chunked, identity"],
        "identity then chunked": ["Transfer-Encoding: identity, chunked"],
        "gzip then chunked": ["Transfer-Encoding: gzip, chunked"],
        "chunked twice": ["Transfer-Encoding: chunked, chunked"],
        "two codings in two lines": ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        "blank before the colon": ["Transfer-Encoding : chunked"],
        "vertical tab before the value": ["Transfer-Encoding:\x0bchunked", f"Content-Length: {size}"],
        "no-break space before the value": ["Transfer-Encoding:\xa0chunked", f"Content-Length: {size}"],
        "quoted": ['Transfer-Encoding: "chunked"', f"Content-Length: {size}"],
        "NUL after the value": ["Transfer-Encoding: chunked\x00", f"Content-Length: {size}"],
        "folded": ["Transfer-Encoding:\r\n chunked", f"Content-Length: {size}"],
        "underscore for hyphen beside a length": ["Transfer_Encoding: chunked", f"Content-Length: {size}, 0"],
    }
    attacks = [Attack(name=name, pieces=(_post(place, case, rest),), judge=refused) for name, case in cases.items()]
    old = _post(place, ["Transfer-Encoding: chunked", "Connection: keep-alive"], rest, version="1.0")
    return [*attacks, Attack(name="chunked in HTTP/1.0", pieces=(old,), judge=refused)]


def _chunks(place: Place) -> list[Attack]:
    body = chat_body(place)
    size, hidden = len(body), _smuggled(place)
    head = _post(place, ["Transfer-Encoding: chunked"], b"")
    cases = {
        "size ended by a bare LF": b"%x\n%b\r\n0\r\n\r\n" % (size, body),
        "chunk ended by a bare LF": b"%x\r\n%b\n0\r\n\r\n" % (size, body),
        "size with 0x": b"0x%x\r\n%b\r\n0\r\n\r\n" % (size, body),
        "negative size": b"-%x\r\n%b\r\n0\r\n\r\n" % (size, body),
        "size with a sign": b"+%x\r\n%b\r\n0\r\n\r\n" % (size, body),
        "size beyond 64 bits": b"1%016x\r\n%b\r\n0\r\n\r\n" % (size, body),
        "empty size": b"\r\n%b\r\n0\r\n\r\n" % body,
        "size that is no number": b"zz\r\n%b\r\n0\r\n\r\n" % body,
        "size with an underscore": b"1_0\r\n%b\r\n0\r\n\r\n" % body[:16],
        "blank inside the size": b"1 0\r\n%b\r\n0\r\n\r\n" % body[:16],
        "chunk shorter than its size": b"%x\r\n%b\r\n0\r\n\r\n" % (size - 1, body),
        "extension with a bare LF": b"%x;a\nb\r\n%b\r\n0\r\n\r\n" % (size, body),
        "extension of 1 MB": b"%x;%b\r\n%b\r\n0\r\n\r\n" % (size, b"a" * 2**20, body),
        "trailer with a NUL": b"%x\r\n%b\r\n0\r\nx: a\x00b\r\n\r\n" % (size, body),
        "trailer of 1 MB": b"%x\r\n%b\r\n0\r\nx: %b\r\n\r\n" % (size, body, b"a" * 2**20),
    }
    return [Attack(name=name, pieces=(head + rest + hidden,), judge=refused) for name, rest in cases.items()]


def _lines(place: Place) -> list[Attack]:
    good = request(place, method="GET", path="/models")
    hidden = _smuggled(place)
    lines = good.split(b"\r\n")
    target, host = lines[0], lines[1]
    rest = b"\r\n".join(lines[1:])
    path = target.split(b" ")[1]
    cases = {
        "bare LF for every line end": good.replace(b"\r\n", b"\n"),
        "bare CR for a line end": target + b"\r" + rest,
        "folded header": target + b"\r\n" + host + b"\r\nx-a: 1\r\n 2\r\n" + b"\r\n".join(lines[2:]),
        "header without a colon": target + b"\r\nnonsense\r\n" + rest,
        "header without a name": target + b"\r\n: value\r\n" + rest,
        "blank in a header name": target + b"\r\nx a: 1\r\n" + rest,
        "blank before the first header": target + b"\r\n x-a: 1\r\n" + rest,
        "control sign in a header name": target + b"\r\nx\x01a: 1\r\n" + rest,
        "NUL in a header value": target + b"\r\nx-a: 1\x002\r\n" + rest,
        "CR in a header value": target + b"\r\nx-a: 1\rx-b: 2\r\n" + rest,
        "LF in a header value": target + b"\r\nx-a: 1\nx-b: 2\r\n" + rest,
        "no version": b"GET " + path + b"\r\n\r\n",
        "version 9.9": b"GET " + path + b" HTTP/9.9\r\n" + rest,
        "version in small letters": b"GET " + path + b" http/1.1\r\n" + rest,
        "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "method in small letters": b"get " + path + b" HTTP/1.1\r\n" + rest,
        "method with signs": b'G"ET ' + path + b" HTTP/1.1\r\n" + rest,
        "two blanks after the method": b"GET  " + path + b" HTTP/1.1\r\n" + rest,
        "blank in the target": b"GET " + path + b" x HTTP/1.1\r\n" + rest,
        "NUL in the target": b"GET " + path + b"\x00 HTTP/1.1\r\n" + rest,
        "TLS hello in plain text": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64 + b"\r\n\r\n",
        "noise": bytes(range(256)) * 8 + b"\r\n\r\n",
    }
    return [Attack(name=name, pieces=(sent + hidden,), judge=refused) for name, sent in cases.items()]


def _hosts(place: Place) -> list[Attack]:
    auth = f"Authorization: Bearer {place.key}\r\n" if place.key else ""
    host = place.authority
    cases = {
        "missing": "",
        "doubled": f"Host: {host}\r\nHost: {host}\r\n",
        "two different": f"Host: {host}\r\nHost: other.example\r\n",
        "with a blank": "Host: a b\r\n",
        "with a path": f"Host: {host}/x\r\n",
        "with credentials": f"Host: u:p@{host}\r\n",
        "a list": f"Host: {host}, other.example\r\n",
    }
    head = f"GET {place.base_path}/models HTTP/1.1\r\n"
    hidden = _smuggled(place)
    return [
        Attack(name=name, pieces=((head + lines + auth + "\r\n").encode() + hidden,), judge=_not_served)
        for name, lines in cases.items()
    ]


def _not_served(talk: Talk) -> str:
    """Fault when a request with a wrong Host was served; a 4xx is enough, the connection may carry on."""
    if talk.answers and talk.status < 400:
        return f"answered {talk.status}"
    return harmless(talk) if len(talk.answers) < 2 else ""


def _oddities(place: Place) -> list[Attack]:
    body = chat_body(place)
    models = request(place, method="GET", path="/models")
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    trailers = b"0\r\nx-a: 1\r\nauthorization: Bearer x\r\n\r\n"
    bytewise: list[bytes | float] = []
    for byte in models:
        bytewise += [bytes([byte]), 0.001]
    return [
        Attack(name="one byte a chunk", judge=_served,
               pieces=(_post(place, ["Transfer-Encoding: Chunked"], chunks + b"0\r\n\r\n"),), patience_s=20),
        Attack(name="trailers, a key among them", judge=harmless,
               pieces=(_post(place, ["Transfer-Encoding: chunked"], chunks + trailers),), patience_s=20),
        Attack(name="one byte a packet", pieces=tuple(bytewise), judge=_served),
        Attack(name="two at once", judge=_in_order, answers=2, patience_s=20,
               pieces=(models + request(place, body=body),)),
        Attack(name="empty lines before the request", pieces=(b"\r\n\r\n" + models,), judge=harmless),
        Attack(name="body with a GET", judge=harmless,
               pieces=(request(place, method="GET", path="/models", body=body),)),
        Attack(name="body longer than its length", judge=_once_served,
               pieces=(_post(place, [f"Content-Length: {len(body)}"], body + b"trailing noise\r\n\r\n"),),
               patience_s=20),
        Attack(name="expects 100-continue", judge=_served, patience_s=20,
               pieces=(_post(place, [f"Content-Length: {len(body)}", "Expect: 100-continue"], b""), 0.3, body)),
        Attack(name="asks for an upgrade", judge=_served,
               pieces=(request(place, method="GET", path="/models",
                               headers=[("Connection", "Upgrade"), ("Upgrade", "websocket, h2c")]),)),
    ]  # fmt: skip


def _served(talk: Talk) -> str:
    if len(talk.answers) != 1 or not talk.answers[0].is_whole:
        return f"{len(talk.answers)} answers, status {talk.status}"
    return "" if talk.status == 200 else f"answered {talk.status}"


def _in_order(talk: Talk) -> str:
    """A list of models, then an answer; a server may also close after the first."""
    kinds = [b'"choices"' in answer.body for answer in talk.answers]
    is_fine = kinds == [False, True] or (kinds == [False] and talk.is_closed)
    return "" if is_fine and talk.status == 200 else f"answered {[answer.status for answer in talk.answers]}"


def _once_served(talk: Talk) -> str:
    """The first request is served; what follows it is noise, refused and the end."""
    rest = [answer.status for answer in talk.answers[1:]]
    if any(status < 400 for status in rest):
        return f"noise was answered {rest}"
    return (
        ""
        if talk.status == 200 and talk.is_closed
        else f"answered {talk.status}, {'closed' if talk.is_closed else 'open'}"
    )
