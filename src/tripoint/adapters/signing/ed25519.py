"""Ed25519 signatures (RFC 8032) under checkpoints; keys are PEM files that openssl reads as well."""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from tripoint.adapters.signing.secret_file import read_or_make
from tripoint.domain.errors import FileError


class Ed25519Signer:
    """Signs with the private key in a file."""

    def __init__(self, path: Path) -> None:
        """Reads the key, and makes one where there is no such file. Raises `FileError`."""
        content = read_or_make(path, _new_private)
        try:
            key = load_pem_private_key(content, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise _no_key(path, "private") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise _no_key(path, "private")
        self._key = key
        self.public = Ed25519Verifier(key.public_key())
        """The public half."""
        self.key_id = self.public.key_id
        """Fingerprint of the public half, hexadecimal."""

    def sign(self, message: bytes) -> str:
        """The signature, base64."""
        return base64.b64encode(self._key.sign(message)).decode()


class Ed25519Verifier:
    """Verifies with a public key."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = hashlib.sha256(raw).hexdigest()
        """Fingerprint: SHA-256 of the raw public key, hexadecimal."""
        self.pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        """The key as a PEM file has it."""

    def is_good(self, message: bytes, signature: str) -> bool:
        """True when the signature is this key's under this message."""
        try:
            self._key.verify(base64.b64decode(signature, validate=True), message)
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


def read_verifier(path: Path) -> Ed25519Verifier:
    """The public key in a PEM file. Raises `FileError`."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileError(f"cannot read `{path}`: {reason}", hint="check the path and your rights to it") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _no_key(path, "public") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key(path, "public")
    return Ed25519Verifier(key)


def _new_private() -> bytes:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _no_key(path: Path, half: str) -> FileError:
    return FileError(
        f"`{path}` is no {half} key of Ed25519 in PEM", hint="`tripoint audit key` prints the public key of this store"
    )
