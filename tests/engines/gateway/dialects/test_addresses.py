"""Paths and credentials per dialect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories import serving

from tripoint.domain.serving import Api, Dialect
from tripoint.domain.table import Target
from tripoint.engines.gateway.dialects.addresses import CredentialError, credential_head, models_path, path_of

NAMES = {
    Api.CHAT: "chat/completions",
    Api.COMPLETIONS: "completions",
    Api.EMBEDDINGS: "embeddings",
    Api.RESPONSES: "responses",
    Api.MESSAGES: "messages",
}


def target(dialect: Dialect, base_path: str, api_version: str | None = None) -> Target:
    """A target of this dialect."""
    return serving.target("u", dialect=dialect, base_path=base_path, api_version=api_version)


@pytest.mark.parametrize("api", Api)
@pytest.mark.parametrize("base", ["", "/v1", "/a/b/v1"])
def test_openai_paths_are_below_the_base(api: Api, base: str) -> None:
    """As its clients build them."""
    assert path_of(api, target(Dialect.OPENAI, base), "m") == f"{base}/{NAMES[api]}".encode()


@pytest.mark.parametrize(("base", "path"), [("", "/v1/messages"), ("/v1", "/v1/messages"), ("/x", "/x/v1/messages")])
def test_anthropic_paths_hold_the_version_once(base: str, path: str) -> None:
    """Whether the base address has it or not."""
    assert path_of(Api.MESSAGES, target(Dialect.ANTHROPIC, base), "m") == path.encode()


@pytest.mark.parametrize(
    ("api", "base", "version", "path"),
    [
        (Api.CHAT, "", None, "/openai/deployments/gpt/chat/completions?api-version=2024-10-21"),
        (Api.CHAT, "/openai", "2025-01-01", "/openai/deployments/gpt/chat/completions?api-version=2025-01-01"),
        (Api.EMBEDDINGS, "/tenant", "v x", "/tenant/openai/deployments/gpt/embeddings?api-version=v%20x"),
        (Api.RESPONSES, "", "preview", "/openai/responses?api-version=preview"),
        (Api.CHAT, "/openai/v1", None, "/openai/v1/chat/completions"),
        (Api.CHAT, "/openai/v1", "preview", "/openai/v1/chat/completions?api-version=preview"),
    ],
)
def test_azure_paths(api: Api, base: str, version: str | None, path: str) -> None:
    """Deployments in the older style, plain paths in the newer."""
    assert path_of(api, target(Dialect.AZURE, base, version), "gpt") == path.encode()


@pytest.mark.parametrize(
    ("dialect", "base", "path"),
    [
        (Dialect.OPENAI, "/v1", "/v1/models"),
        (Dialect.OPENAI, "/responses/v1", "/responses/v1/models"),
        (Dialect.ANTHROPIC, "/messages", "/messages/v1/models"),
        (Dialect.AZURE, "", "/openai/models?api-version=2024-10-21"),
        (Dialect.AZURE, "/openai/v1", "/openai/v1/models"),
    ],
)
def test_the_list_of_models_is_below_the_base(dialect: Dialect, base: str, path: str) -> None:
    """Also where the base address holds the name of an interface."""
    assert models_path(target(dialect, base)) == path.encode()


@given(st.text(min_size=1, max_size=20), st.sampled_from(Dialect), st.sampled_from(Api))
def test_names_cannot_leave_their_place(name: str, dialect: Dialect, api: Api) -> None:
    """Whatever a deployment is called, it is one segment of the path."""
    path = path_of(api, target(dialect, ""), name)
    plain = path_of(api, target(dialect, ""), "m")
    assert (path.count(b"/"), path.count(b"?")) == (plain.count(b"/"), plain.count(b"?"))
    assert path.isascii()
    assert not set(path) & set(b" \r\n#")


@pytest.mark.parametrize(
    ("dialect", "head"),
    [
        (Dialect.OPENAI, b"authorization: Bearer k\r\n"),
        (Dialect.AZURE, b"api-key: k\r\n"),
        (Dialect.ANTHROPIC, b"x-api-key: k\r\nanthropic-version: 2023-06-01\r\n"),
    ],
)
def test_credentials_by_dialect(dialect: Dialect, head: bytes) -> None:
    """Each in its own header."""
    assert credential_head(target(dialect, ""), "k") == head


def test_without_a_credential_there_is_no_header() -> None:
    """Except for the version Anthropic demands."""
    assert credential_head(target(Dialect.OPENAI, ""), None) == b""
    assert credential_head(target(Dialect.ANTHROPIC, "", "2026-01-01"), None) == b"anthropic-version: 2026-01-01\r\n"


@pytest.mark.parametrize(
    "secret", ["", "k9q\r\nx: y", "k9q\n", "k9q\x00", " k9q", "k9q ", "k9qé", "k9q\u2028", "k9q\t"]
)
@pytest.mark.parametrize("dialect", Dialect)
def test_secrets_cannot_leave_their_line(dialect: Dialect, secret: str) -> None:
    """They are refused by the name of the upstream, never shown."""
    with pytest.raises(CredentialError, match="upstream `u`") as caught:
        credential_head(target(dialect, ""), secret)
    assert "k9q" not in str(caught.value)


def test_nor_can_a_version() -> None:
    """It is declared, and still checked."""
    with pytest.raises(CredentialError):
        credential_head(target(Dialect.ANTHROPIC, "", "1\r\nx: y"), "k")
