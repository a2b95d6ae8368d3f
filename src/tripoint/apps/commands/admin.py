"""`tripoint admin`: the admin interface over HTTP, and its first admin."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from tripoint.apps.answer import Answer, answering, json_document
from tripoint.apps.outcomes import ExitCode
from tripoint.apps.settings import read_settings, store_url, without_password
from tripoint.apps.terminal.flags import FileToRead, NamedPath
from tripoint.apps.terminal.groups import NearestNameGroup
from tripoint.domain.errors import MissingExtraError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tripoint.apps.admin.wire.guard import LogLine


@click.group(cls=NearestNameGroup)
def command() -> None:
    """Administer tenants, keys, limits and spend over HTTP.

    `tripoint admin init` creates the first admin, `tripoint admin serve` runs the interface.
    """


@command.command()
@click.option("--store", metavar="URL", help="Store of accounts and ledger; `TRIPOINT_STORE` when not given.")
@answering
def init(store: str | None) -> Answer:
    """Create a token for the first admin: shown once, for one use within 15 minutes.

    Whoever has it sends it, with the id the admin is to have, to `/v1/first-admin` of the admin interface. Refused when
    there is an admin.

    For example: tripoint admin init --store postgresql://ledger.example/tripoint
    """
    from tripoint.apps.render.accounts import moment
    from tripoint.apps.terminal.desk import open_desk
    from tripoint.usecases.accounts.bootstrap import issue_token

    with open_desk(store, makes=True) as desk:
        token, text = issue_token(desk.store, desk.turn, desk.secrets())
    told = (
        f"good once, until {moment(token.expires_at)} UTC; with `tripoint admin serve` running:\n"
        '  curl -H "content-type: application/json" http://127.0.0.1:8081/v1/first-admin'
        ' -d \'{"token": "...", "principal": "..."}\''
    )
    payload = {"token": text, "id": token.id, "expires_at": token.expires_at}
    return Answer(text=f"{text}\n\n{told}", payload=payload)


@command.command()
@click.option("--store", metavar="URL", help="Store of accounts and ledger; `TRIPOINT_STORE` when not given.")
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True,
              help="Address to listen on; any but loopback needs a certificate.")  # fmt: skip
@click.option("--port", metavar="N", type=click.IntRange(0, 65535), default=8081, show_default=True,
              help="Port to listen on; 0 takes a free one.")  # fmt: skip
@click.option("--tls-cert", metavar="FILE", type=FileToRead(dir_okay=False), help="Certificate chain, PEM.")
@click.option("--tls-key", metavar="FILE", type=FileToRead(dir_okay=False), help="Its key, PEM.")
@click.option("--oidc-issuer", metavar="URL", help="Identity provider whose tokens are accepted.")
@click.option("--oidc-audience", metavar="NAME", help="Audience its tokens must name.")
@click.option("--oidc-ca", metavar="FILE", type=FileToRead(dir_okay=False),
              help="Certificate authority of the identity provider, where it is private.")  # fmt: skip
@click.option("--oidc-groups", metavar="CLAIM", default="groups", show_default=True,
              help="Claim that lists groups.")  # fmt: skip
@click.option("--oidc-role", "oidc_roles", metavar="GROUP=ROLE[@TENANT]", multiple=True,
              help="Role of a group, for callers who are not principals; bound to a tenant when named. Repeatable.",
              )  # fmt: skip
@click.option("--access-log", metavar="FILE", type=NamedPath(allow_dash=True, dir_okay=False),
              help="Write one JSON line per request here, `-` for standard error.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON document, once it serves.")
@click.option("--debug", is_flag=True, help="Show the trace of an unexpected failure.")
def serve(
    store: str | None,
    host: str,
    port: int,
    tls_cert: str | None,
    tls_key: str | None,
    oidc_issuer: str | None,
    oidc_audience: str | None,
    oidc_ca: str | None,
    oidc_groups: str,
    oidc_roles: tuple[str, ...],
    access_log: str | None,
    as_json: bool,
    debug: bool,
) -> int:
    """Serve the admin interface until SIGTERM or Ctrl-C.

    It is a separate process, so nothing asked here delays the gateway. Its OpenAPI document is at `/openapi.json`.

    For example: tripoint admin serve --port 8090
    """
    try:
        from tripoint.apps.admin.identity.groups import read_rule
        from tripoint.apps.admin.process import AdminOptions, run
        from tripoint.apps.admin.serve import Door
    except ImportError as error:
        raise MissingExtraError(
            f"the admin interface needs the extra `admin`: {error.name} is not installed",
            hint="pip install 'tripoint[admin]'",
        ) from None

    del debug  # read by whoever shows a failure
    if tls_key and not tls_cert:
        raise OptionError("`--tls-key` needs `--tls-cert`", hint="name the certificate too")
    url = store or store_url(read_settings())
    options = AdminOptions(
        store=url,
        door=Door(host, port, tls_cert or "", tls_key or ""),
        oidc_issuer=oidc_issuer or "",
        oidc_audience=oidc_audience or "",
        oidc_ca=oidc_ca or "",
        oidc_groups=oidc_groups,
        rules=tuple(read_rule(text) for text in oidc_roles),
    )

    def ready(address: str) -> None:
        shown = without_password(url)
        if as_json:
            click.echo(json_document("admin-serve", ok=True, findings=(), payload={"address": address, "store": shown}))
        else:
            click.echo(f"the admin interface is at {address}, over the store {shown}")

    run(options, _log(access_log), ready)
    return ExitCode.YES


def _log(place: str | None) -> Callable[[LogLine], None]:
    """Where lines go; what went wrong here is always told, on standard error."""
    import msgspec

    stream = None
    if place == "-":
        stream = sys.stderr.buffer
    elif place:
        stream = open(place, "ab", buffering=0)  # noqa: SIM115  # open as long as the process

    def write(line: LogLine) -> None:
        target = stream or (sys.stderr.buffer if line.fault else None)
        if target is not None:
            target.write(msgspec.json.encode(line) + b"\n")
            target.flush()

    return write
