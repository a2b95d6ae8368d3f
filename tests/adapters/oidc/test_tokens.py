"""Which tokens are good, and why the others are not; the provider is played, its keys and signatures are real."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OctKey, RSAKey

from tripoint.adapters.oidc.issuer import COOL_S, FRESH_S, STALE_S, Issuer
from tripoint.adapters.oidc.tokens import LEEWAY_S, Identity, TokenRules, Tokens
from tripoint.domain.errors import IdentityError, OptionError, UpstreamError

ISSUER = "https://id.example"
AUDIENCE = "tripoint"
NOW = 1_800_000_000
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}, private=True)
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"}, private=True)
STRANGE_EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"}, private=True)
STRANGE = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}, private=True)


@dataclass
class Played:
    """A provider that answers from memory."""

    keys: list[Key] = field(default_factory=lambda: [RSA, EC])
    """What it publishes."""
    calls: list[str] = field(default_factory=list)
    """Addresses it was asked for."""
    is_away: bool = False
    """True when it does not answer."""
    document: dict[str, Any] = field(default_factory=lambda: {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"})
    """Its discovery document."""
    extra: list[Any] = field(default_factory=list)
    """Further members of its key set."""

    async def fetch(self, url: str) -> dict[str, Any]:
        """The document at an address."""
        self.calls.append(url)
        if self.is_away:
            raise UpstreamError("away")
        if url == f"{ISSUER}/.well-known/openid-configuration":
            return self.document
        return {"keys": [*self.extra, *(key.as_dict(private=False) for key in self.keys)]}


@dataclass
class Bench:
    """A provider, its clock and what checks its tokens."""

    played: Played = field(default_factory=Played)
    """The provider."""
    clock: list[float] = field(default_factory=lambda: [0.0])
    """Monotonic time, s."""

    def __post_init__(self) -> None:
        issuer = Issuer(ISSUER, self.played.fetch, lambda: self.clock[0])
        self.tokens = Tokens(issuer, TokenRules(AUDIENCE), lambda: NOW)
        self.loop = asyncio.new_event_loop()

    def check(self, token: str) -> Identity:
        """Whom the token speaks for."""
        return self.loop.run_until_complete(self.tokens.identity(token))

    def refused(self, token: str) -> str:
        """Why it is refused."""
        with pytest.raises(IdentityError) as caught:
            self.check(token)
        return caught.value.message


@pytest.fixture
def bench() -> Any:
    """A provider with an RSA and an elliptic key."""
    made = Bench()
    yield made
    made.loop.close()


def claims(**changes: Any) -> dict[str, Any]:
    """What a good token says, with changes; `None` leaves a claim out."""
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": NOW + 60, "iat": NOW, "groups": ["ops"]}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def token(key: Key = RSA, algorithm: str = "RS256", *, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A signed token."""
    return jwt.encode({"alg": algorithm, "kid": key.kid, **(header or {})}, claims(**changes), key, [algorithm])


def encoded(value: dict[str, Any]) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (RSA, "PS256"), (RSA, "RS512"), (EC, "ES256")])
def test_a_good_token_is_taken(bench: Bench, key: Key, algorithm: str) -> None:
    """Subject, groups and end are told."""
    assert bench.check(token(key, algorithm)) == Identity(f"{ISSUER}#ada", ("ops",), NOW + 60)


def test_one_of_several_audiences_is_enough(bench: Bench) -> None:
    """The audience may be a list."""
    assert bench.check(token(aud=["wiki", AUDIENCE])).subject == f"{ISSUER}#ada"


@pytest.mark.parametrize("groups", ["ops", {"a": 1}, 7, [1, 2], None])
def test_groups_of_another_shape_are_none(bench: Bench, groups: Any) -> None:
    """Groups are believed only as a list of texts."""
    assert bench.check(token(groups=groups)).groups == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"exp": NOW - LEEWAY_S}, "expired"),
        ({"exp": None}, "`exp`"),
        ({"exp": "soon"}, "`exp`"),
        ({"exp": True}, "`exp`"),
        ({"nbf": NOW + LEEWAY_S + 1}, "`nbf`"),
        ({"iat": NOW + LEEWAY_S + 1}, "`iat`"),
        ({"aud": "wiki"}, "not for the audience"),
        ({"aud": None}, "not for the audience"),
        ({"aud": []}, "not for the audience"),
        ({"aud": [AUDIENCE, 7]}, "not for the audience"),
        ({"aud": "tripoint2"}, "not for the audience"),
        ({"iss": "https://id.example/"}, "another provider"),
        ({"iss": None}, "another provider"),
        ({"iss": ["https://id.example"]}, "another provider"),
        ({"sub": None}, "`sub`"),
        ({"sub": ""}, "`sub`"),
        ({"sub": 7}, "`sub`"),
        ({"sub": "a" * 256}, "255"),
        ({"sub": "a\nb"}, "printable"),
    ],
)
def test_claims_that_are_not_right_are_refused(bench: Bench, changes: dict[str, Any], told: str) -> None:
    """Each claim is needed, and the message says which one it was."""
    assert told in bench.refused(token(**changes))


def test_clocks_may_differ_a_little(bench: Bench) -> None:
    """Within the leeway a token is good on either side of its times."""
    assert bench.check(token(exp=NOW - LEEWAY_S + 1))
    assert bench.check(token(nbf=NOW + LEEWAY_S, iat=NOW + LEEWAY_S))


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", "HS256", "RS1", "A128KW"])
def test_algorithms_that_are_not_allowed_are_refused(bench: Bench, name: str) -> None:
    """No signature, a shared secret or an unknown algorithm: refused before any key is looked for."""
    forged = f"{encoded({'alg': name, 'kid': 'rsa'})}.{encoded(claims())}."
    assert "signed" in bench.refused(forged)
    assert bench.played.calls == []


def test_a_public_key_is_no_shared_secret(bench: Bench) -> None:
    """HS256 under the bytes of the published key, the classic confusion, is refused."""
    signed = f"{encoded({'alg': 'HS256', 'kid': 'rsa'})}.{encoded(claims())}"
    mark = hmac.new(RSA.as_pem(private=False), signed.encode(), "sha256").digest()
    forged = f"{signed}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"
    assert "`HS256`" in bench.refused(forged)


def test_a_key_in_the_token_is_not_believed(bench: Bench) -> None:
    """Neither a `jwk` nor a `jku` of the head is looked at."""
    own = STRANGE_EC.as_dict(private=False)
    for header in ({"jwk": own}, {"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example/c"}):
        assert "signature" in bench.refused(token(STRANGE_EC, "ES256", header=header))
    assert {url.removeprefix(ISSUER)[:5] for url in bench.played.calls} == {"/.wel", "/keys"}


def test_a_key_of_another_kind_than_the_algorithm_is_refused(bench: Bench) -> None:
    """An RSA token that names the elliptic key."""
    assert "signature" in bench.refused(token(RSA, header={"kid": "ec"}))


@given(at=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=63))
def test_no_changed_character_goes_unseen(at: int, flip: int) -> None:
    """Whatever character of a token is another one, the token is refused or means the very same."""
    bench = Bench()
    try:
        good = _SIGNED
        place = at % len(good)
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        if good[place] == ".":
            return
        other = letters[(letters.index(good[place]) + flip) % 64]
        changed = good[:place] + other + good[place + 1 :]
        try:
            found = bench.check(changed)
        except IdentityError:
            return
        assert found == bench.check(good)  # unused bits of the last character of a part
        assert place + 1 == len(good) or good[place + 1] == "."
    finally:
        bench.loop.close()


_SIGNED = token()


@pytest.mark.parametrize("text", ["", "..", "a.b.c", "a.b", "a.b.c.d.e", "é.b.c", "x" * 20_000, "." * 20_000])
def test_what_is_no_token_is_refused(bench: Bench, text: str) -> None:
    """Whatever comes, the answer is a refusal."""
    assert bench.refused(text)


def test_keys_are_fetched_once_and_again_when_old(bench: Bench) -> None:
    """Not per token, and not for ever."""
    for _ in range(3):
        bench.check(token())
    assert len(bench.played.calls) == 2
    bench.clock[0] += FRESH_S + 1
    bench.check(token())
    assert len(bench.played.calls) == 4


def test_a_new_key_is_found_when_a_token_names_it(bench: Bench) -> None:
    """Rotation needs no restart, and what is gone is not believed any more."""
    bench.check(token())
    new = RSAKey.generate_key(2048, {"kid": "new", "use": "sig"}, private=True)
    bench.played.keys = [new]
    bench.clock[0] += COOL_S
    assert bench.check(token(new))
    assert "no signing key" in bench.refused(token())


def test_invented_key_ids_do_not_make_us_a_nuisance(bench: Bench) -> None:
    """A thousand tokens with ids nobody has bring one look at the provider, not a thousand."""
    bench.check(token())
    before = len(bench.played.calls)
    bench.clock[0] += COOL_S
    for number in range(1000):
        bench.refused(token(header={"kid": f"invented-{number}"}) if number < 3 else _invented(number))
    assert len(bench.played.calls) == before + 2


def _invented(number: int) -> str:
    head, rest = _SIGNED.split(".", 1)
    del head
    return f"{encoded({'alg': 'RS256', 'kid': f'invented-{number}'})}.{rest}"


def test_a_silent_provider_is_borne_for_an_hour(bench: Bench) -> None:
    """Known keys go on, then nothing is good: a key may have been withdrawn meanwhile."""
    bench.check(token())
    bench.played.is_away = True
    bench.clock[0] += STALE_S - 1
    assert bench.check(token())
    bench.clock[0] += 2 + COOL_S
    with pytest.raises(UpstreamError):
        bench.check(token())
    bench.played.is_away = False
    bench.clock[0] += COOL_S
    assert bench.check(token())


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://id.example/", "jwks_uri": f"{ISSUER}/keys"},
        {"jwks_uri": f"{ISSUER}/keys"},
        {"issuer": ISSUER},
        {"issuer": ISSUER, "jwks_uri": 7},
        {"issuer": ISSUER, "jwks_uri": "http://127.0.0.1/keys"},
    ],
)
def test_a_provider_that_is_not_who_it_should_be(bench: Bench, document: dict[str, Any]) -> None:
    """Discovery must name the declared issuer to the letter, and keys at an address as safe as its own."""
    bench.played.document = document
    with pytest.raises(UpstreamError):
        bench.check(token())


def test_keys_that_are_no_public_signing_keys_are_passed_over(bench: Bench) -> None:
    """Secrets, keys for encryption, broken and short ones do not spoil the others, and sign nothing."""
    with pytest.warns(SecurityWarning):
        short = RSAKey.generate_key(1024, {"kid": "short"}, private=True)
    shared = OctKey.generate_key(256, {"kid": "shared"})
    bench.played.extra = [
        7, {}, {"kty": "RSA", "kid": "broken", "n": "AA"}, {"kty": "new", "kid": "x"}, shared.as_dict(private=True),
        {**STRANGE.as_dict(private=False), "kid": "enc", "use": "enc"}, short.as_dict(private=False),
    ]  # fmt: skip
    assert bench.check(token())
    assert "no signing key" in bench.refused(token(STRANGE, header={"kid": "enc"}))
    assert "no signing key" in bench.refused(token(short))


def test_without_a_key_id_only_a_single_key_is_meant(bench: Bench) -> None:
    """Two keys and no id is doubt, and doubt is refused."""
    nameless = jwt.encode({"alg": "RS256"}, claims(), RSA, ["RS256"])
    assert "no signing key" in bench.refused(nameless)
    bench.played.keys = [RSA]
    bench.clock[0] += COOL_S
    assert bench.check(nameless)


@pytest.mark.parametrize(
    "url",
    ["http://id.example", "https://", "ftp://id.example", "https://a:b@id.example", "https://id.example#x", "x",
     "https://id.example:port", "https://id.example/a b"],
)  # fmt: skip
def test_an_address_no_provider_may_have(url: str) -> None:
    """Only https, or this machine; nothing that hides where it leads."""
    with pytest.raises(OptionError):
        Issuer(url, Played().fetch)
