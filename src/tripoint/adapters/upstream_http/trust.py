"""Whom a certificate must come from: always checked, TLS 1.2 at least, and there is no switch to turn it off."""

from __future__ import annotations

import ssl


def client_context(ca_file: str | None) -> ssl.SSLContext:
    """What a connection to an upstream is checked by: the private authority where declared, else the machine's own.

    Raises `OSError` (or its `ssl.SSLError`) where the file cannot be used.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def server_context(certificate: str, key: str | None) -> ssl.SSLContext:
    """What callers are answered with; raises `OSError` where a file cannot be used."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    return context
