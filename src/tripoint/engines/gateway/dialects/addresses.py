"""Where does a request go on an upstream, and with which credential? Only the routing table decides either."""

from __future__ import annotations

from urllib.parse import quote

from tripoint.domain.serving import Api, Dialect
from tripoint.domain.table import Target

AZURE_API_VERSION = "2024-10-21"
ANTHROPIC_VERSION = "2023-06-01"
_PATHS = {
    Api.CHAT: "/chat/completions",
    Api.COMPLETIONS: "/completions",
    Api.EMBEDDINGS: "/embeddings",
    Api.RESPONSES: "/responses",
    Api.MESSAGES: "/messages",
}


class CredentialError(ValueError):
    """A credential that would break out of its header line; the message does not hold it."""


def path_of(api: Api, target: Target, name: str) -> bytes:
    """Path and query for an interface of a target that calls the model `name`."""
    return _address(target, _PATHS[api], "" if api is Api.RESPONSES else f"/deployments/{quote(name, safe='')}")


def models_path(target: Target) -> bytes:
    """Path and query of a target's list of models."""
    return _address(target, "/models", "")


def _address(target: Target, path: str, deployment: str) -> bytes:
    """`deployment` stands before the path where the dialect puts the model there."""
    base = target.base_path.rstrip("/")
    if target.dialect is Dialect.ANTHROPIC:
        # Its base address is given with or without the version, as its clients allow both.
        return f"{base.removesuffix('/v1')}/v1{path}".encode()
    if target.dialect is Dialect.OPENAI:
        return f"{base}{path}".encode()
    version = quote(target.api_version or AZURE_API_VERSION, safe="")
    if base.endswith("/v1"):
        # The newer addresses name the model in the body; the version is optional there.
        query = f"?api-version={version}" if target.api_version else ""
        return f"{base}{path}{query}".encode()
    root = base if base.endswith("/openai") else f"{base}/openai"
    return f"{root}{deployment}{path}?api-version={version}".encode()


def credential_head(target: Target, secret: str | None) -> bytes:
    """Header lines that carry the credential, each ended by CRLF; raises `CredentialError`."""
    if secret is not None and not (secret.isascii() and secret.isprintable() and secret.strip() == secret and secret):
        raise CredentialError(f"the credential of upstream `{target.id}` is empty, or holds a space at its ends, "
                             "a line break or a character that is not ASCII")  # fmt: skip
    if target.dialect is Dialect.ANTHROPIC:
        version = target.api_version or ANTHROPIC_VERSION
        if not (version.isascii() and version.isprintable()):
            raise CredentialError(f"`api_version` of upstream `{target.id}` holds a line break")
        key = f"x-api-key: {secret}\r\n" if secret is not None else ""
        return f"{key}anthropic-version: {version}\r\n".encode()
    if secret is None:
        return b""
    name = "api-key: " if target.dialect is Dialect.AZURE else "authorization: Bearer "
    return f"{name}{secret}\r\n".encode()
