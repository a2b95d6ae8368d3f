"""Well-framed requests with hostile contents: paths, methods, JSON, headers and keys, and how refusals are told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from tripoint.apps.battery.place import Place
from tripoint.apps.battery.verdict import Row, judged, skipped, told
from tripoint.apps.battery.wire.attack import Attack, harmless, outcomes, refused_politely, shape_fault, tried
from tripoint.apps.battery.wire.raw import Answer, Talk, chat_body, request

CANARY = "canary-7f3a9c1e5b"
_WRONG_KEY = f"tp_wrong_{CANARY}"


async def content_rows(place: Place) -> list[Row]:
    """Unknown paths and methods, bodies that are no requests, injected headers, keys and the shape of errors."""
    return [
        await tried(place, ("W11", "unknown paths and methods", "404 or 405, never served"), _paths(place)),
        await tried(place, ("W12", "bodies that are no requests", "400 (404, 413, 415, 422), the server lives"),
                    _bodies(place)),
        await _injection(place),
        await _keys(place),
        await _shapes(place),
        await _secrets(place),
    ]  # fmt: skip


def _paths(place: Place) -> list[Attack]:
    base = place.base_path
    unknown = ("/none", "/chat", "/chat/completions/", "/chat/completions/x", "//chat/completions", "/models/../models",
               "/%2e%2e/v1/models", "/chat%2fcompletions", "/Chat/Completions", "/chat/completions;x=1")  # fmt: skip
    rooted = ("=/admin", "=/debug/pprof", "=/config/update", "=/.env", f"={base}%00/models", "=/../../etc/passwd", "=*")
    attacks = [
        Attack(name=f"GET {path.removeprefix('=')}", judge=_unserved, pieces=(request(place, method="GET", path=path),))
        for path in (*unknown, *rooted)
    ]
    for method in ("GET", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND"):
        pieces = (request(place, method=method, path="/chat/completions"),)
        attacks.append(Attack(name=f"{method} on chat completions", pieces=pieces, judge=_unserved))
    for method in ("POST", "DELETE", "PUT"):
        pieces = (request(place, method=method, path="/models", body=b"{}"),)
        attacks.append(Attack(name=f"{method} on models", pieces=pieces, judge=_unserved))
    tunnel = request(place, method="CONNECT", path=f"={place.authority}")
    return [*attacks, Attack(name="CONNECT", pieces=(tunnel,), judge=_unserved)]


def _unserved(talk: Talk) -> str:
    if len(talk.answers) == 1 and talk.status in (204, 401, 403, 404, 405, 400, 501):
        return ""
    return "" if not talk.answers and talk.is_closed else f"answered {talk.status or 'nothing'}"


def _bodies(place: Place) -> list[Attack]:
    model = json.dumps(place.model)
    word = '"messages":[{"role":"user","content":"x"}]'
    deep = 200_000
    texts: dict[str, bytes] = {
        "empty": b"",
        "not JSON": b"model=x&messages=y",
        "a list": b"[]",
        "null": b"null",
        "a number": b"1",
        "half a document": f'{{"model":{model},"mess'.encode(),
        "two documents": f'{{"model":{model},{word}}}{{}}'.encode(),
        "nested 200,000 lists deep": f'{{"model":{model},{word},"x":'.encode() + b"[" * deep + b"]" * deep + b"}",
        "nested 200,000 objects deep": f'{{"model":{model},{word},"x":'.encode()
        + b'{"a":' * deep
        + b"1"
        + b"}" * deep
        + b"}",
        "bad UTF-8": f'{{"model":{model},"messages":[{{"role":"user","content":"'.encode() + b'\xff\xfe"}]}',
        "overlong UTF-8 in the model": b'{"model":"\xc0\xae",' + word.encode() + b"}",
        "UTF-16": f'{{"model":{model},{word}}}'.encode("utf-16"),
        "the model twice": f'{{"model":"other","model":{model},{word}}}'.encode(),
        "the model twice, once escaped": f'{{"model":{model},"m\\u006fdel":"other",{word}}}'.encode(),
        "no model": f"{{{word}}}".encode(),
        "model null": f'{{"model":null,{word}}}'.encode(),
        "model a list": f'{{"model":[{model}],{word}}}'.encode(),
        "model with a lone surrogate": f'{{"model":"\\ud800",{word}}}'.encode(),
        "model with line ends": f'{{"model":"x\\r\\nx-injected: 1",{word}}}'.encode(),
        "model of 1 MB": f'{{"model":"{"m" * 1_000_000}",{word}}}'.encode(),
        "unknown model": f'{{"model":"no-such-model-{CANARY}",{word}}}'.encode(),
        "a million digits": f'{{"model":{model},{word},"max_tokens":{"9" * 1_000_000}}}'.encode(),
        "a huge exponent": f'{{"model":{model},{word},"max_tokens":1e999999}}'.encode(),
        "negative limit": f'{{"model":{model},{word},"max_tokens":-5}}'.encode(),
        "stream that is text": f'{{"model":{model},{word},"stream":"yes"}}'.encode(),
        "messages that are text": f'{{"model":{model},"messages":"x"}}'.encode(),
    }
    # On these an upstream may have the last word.
    may_pass = {
        "a million digits",
        "a huge exponent",
        "negative limit",
        "stream that is text",
        "messages that are text",
    }
    may_pass |= {"the model twice", "bad UTF-8", "nested 200,000 lists deep", "nested 200,000 objects deep"}
    wanted = refused_politely(400, 404, 413, 415, 422)
    attacks = [
        Attack(name=name, pieces=(request(place, body=body),), judge=_alive if name in may_pass else wanted)
        for name, body in texts.items()
    ]
    packed = request(place, body=b"\x1f\x8b\x08\x00" + b"\x00" * 64, headers=[("Content-Encoding", "gzip")])
    return [*attacks, Attack(name="announced as gzip", pieces=(packed,), judge=wanted)]


def _alive(talk: Talk) -> str:
    """An upstream may have the last word on these: answered once, or refused, but not by a crash."""
    return harmless(talk) if talk.answers else "no answer"


async def _injection(place: Place) -> Row:
    bar = "no header of the answer carries anything injected"
    split = "x\r\nx-injected: 1"
    sly = [
        ("encoded line ends in the path", request(place, method="GET", path="/models%0d%0ax-injected:%201")),
        ("line ends in the query", request(place, method="GET", path="/models?a=%0d%0ax-injected:%201")),
        ("line ends in the model", request(place, body=chat_body(place, model=split))),
        ("markup as request id", request(place, method="GET", path="/models",
                                         headers=[("x-request-id", f"{CANARY}<script>")])),
        ("a long request id", request(place, method="GET", path="/models", headers=[("x-request-id", "r" * 4000)])),
        ("a broken traceparent", request(place, method="GET", path="/models",
                                         headers=[("traceparent", f"00-{CANARY}-zz-01")])),
    ]  # fmt: skip
    attacks = [Attack(name=name, pieces=(sent,), judge=_clean) for name, sent in sly]
    return await tried(place, ("W13", "header injection", bar), attacks)


def _clean(talk: Talk) -> str:
    for answer in talk.answers:
        for name, value in answer.headers:
            if name == "x-injected" or CANARY in value or len(value) > 2000:
                return f"the answer's `{name}` carries it"
    return harmless(talk)


async def _keys(place: Place) -> Row:
    what, bar = "no key, a wrong one, two, in odd places", "401 (400, 403) for each"
    bare = replace(place, key="")
    body = chat_body(place)
    (_, anonymous), *_ = await outcomes(place, [Attack(name="", pieces=(request(bare, body=body),), judge=harmless)])
    if anonymous.status == 200:
        if place.is_loopback and not place.key:
            return skipped("W14", what, bar, "the deployment asks for no key (and listens on loopback)")
        return judged("W14", what, bar, passed=False, seen="a request without any key was served")
    good = f"Bearer {place.key}"
    heads: dict[str, list[tuple[str, str]]] = {
        "no key": [],
        "a wrong key": [("Authorization", f"Bearer {_WRONG_KEY}")],
        "an empty key": [("Authorization", "Bearer ")],
        "another scheme": [("Authorization", f"Basic {place.key}")],
        "a wrong key and the right one": [("Authorization", f"Bearer {_WRONG_KEY}"), ("Authorization", good)],
        "the right key and a wrong one": [("Authorization", good), ("Authorization", f"Bearer {_WRONG_KEY}")],
        "the key and more": [("Authorization", f"{good} {_WRONG_KEY}")],
        "the key cut short": [("Authorization", good[:-1])],
        "a key of 100 kB": [("Authorization", "Bearer " + "k" * 100_000)],
        "a key with signs": [("Authorization", "Bearer \xff\xfe'\"--")],
    }
    wanted = refused_politely(400, 401, 403, 431)
    attacks = [
        Attack(name=name, pieces=(request(bare, body=body, headers=head),), judge=wanted)
        for name, head in heads.items()
    ]
    query = request(bare, path=f"/chat/completions?api_key={place.key}&key={place.key}", body=body)
    listing = request(bare, method="GET", path="/models")
    attacks += [Attack(name="the key in the query", pieces=(query,), judge=refused_politely(400, 401, 403, 404))]
    attacks += [Attack(name="models without a key", pieces=(listing,), judge=wanted)]
    return await tried(place, ("W14", what, bar), attacks)


async def _shapes(place: Place) -> Row:
    """Refusals as the SDKs read them."""
    cases = [
        ("unknown path", request(place, method="GET", path="/none")),
        ("not JSON", request(place, body=b"{")),
        ("unknown model", request(place, body=chat_body(place, model="no-such-model"))),
        ("wrong method", request(place, method="DELETE", path="/chat/completions")),
    ]
    attacks = [Attack(name=name, pieces=(sent,), judge=_shaped) for name, sent in cases]
    bar = "JSON with error.message, type, code and param"
    return await tried(place, ("W15", "the shape of errors", bar), attacks)


def _shaped(talk: Talk) -> str:
    return shape_fault(talk.answers[0]) if talk.answers else "no answer"


async def _secrets(place: Place) -> Row:
    """Sends canaries on every way that ends in an error and looks for them, and for the key, in what comes back."""
    what, bar = "canaries and keys in refused requests", "none in any answer"
    headers = [("x-secret", CANARY), ("cookie", f"session={CANARY}")]
    wrong = replace(place, key=_WRONG_KEY)
    sent = [
        request(place, body=b"{" + CANARY.encode(), headers=headers),
        request(place, body=b'{"model":1,"secret":"%b"}' % CANARY.encode(), headers=headers),
        request(wrong, body=chat_body(place), headers=headers),
        request(place, body=chat_body(place, model="no-such-model", user=CANARY), headers=headers),
        request(place, body=chat_body(place, messages=[{"role": CANARY, "content": 1}]), headers=headers),
        request(place, path=f"/none?token={CANARY}", body=b"{}", headers=headers),
        request(place, body=b"x" * 10, headers=[*headers, ("Content-Length", "abc")]),
    ]
    done = await outcomes(place, [Attack(name=str(n), pieces=(each,), judge=harmless) for n, each in enumerate(sent)])
    answers = [answer for _, talk in done for answer in talk.answers]
    faults = [f"{answer.status}: {leak}" for answer in answers if (leak := leak_in(answer, (CANARY, place.key)))]
    seen = told(faults, f"{len(answers)} answers without any")
    return judged("W16", what, bar, passed=not faults and bool(answers), seen=seen)


def leak_in(answer: Answer, secrets: Sequence[str]) -> str:
    """Where an answer of class 4xx or 5xx repeats a secret; empty when it does not."""
    if answer.status < 400:
        return ""
    head = "\n".join(value for _, value in answer.headers)
    body = answer.body.decode("utf-8", "replace")
    found = [secret for secret in secrets if secret and (secret in head or secret in body)]
    return f"the answer repeats `{found[0][:6]}…`" if found else ""
