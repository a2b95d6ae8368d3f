"""The tables of the accounts; the audit log is guarded by triggers against whoever has only the rights of a program."""

from __future__ import annotations

from tripoint.adapters.sql.database import Engine, Schema

_TABLES = """\
CREATE TABLE tenant (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, created_at DOUBLE PRECISION NOT NULL, is_suspended SMALLINT NOT NULL);
CREATE TABLE principal (
  id TEXT PRIMARY KEY, tenant TEXT REFERENCES tenant (id), roles TEXT NOT NULL,
  created_at DOUBLE PRECISION NOT NULL, subject TEXT UNIQUE, is_suspended SMALLINT NOT NULL);
CREATE TABLE api_key (
  id TEXT PRIMARY KEY, tenant TEXT REFERENCES tenant (id), digest TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
  created_at DOUBLE PRECISION NOT NULL, principal TEXT REFERENCES principal (id), workloads TEXT NOT NULL,
  only_at TEXT NOT NULL, expires_at DOUBLE PRECISION, revoked_at DOUBLE PRECISION, replaces TEXT);
CREATE INDEX api_key_by_tenant ON api_key (tenant, id);
CREATE TABLE quota (
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenant (id), key_id TEXT REFERENCES api_key (id), workload TEXT,
  requests_per_min BIGINT, tokens_per_min BIGINT, concurrency BIGINT);
CREATE TABLE budget (
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenant (id), key_id TEXT REFERENCES api_key (id), workload TEXT,
  period TEXT NOT NULL, limit_nano BIGINT NOT NULL, is_enforced SMALLINT NOT NULL);
CREATE TABLE one_time_token (
  id TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, created_at DOUBLE PRECISION NOT NULL,
  expires_at DOUBLE PRECISION NOT NULL, used_at DOUBLE PRECISION);
CREATE TABLE account_request (digest TEXT PRIMARY KEY, subject TEXT NOT NULL, at DOUBLE PRECISION NOT NULL);
CREATE TABLE account_mark (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE audit_entry (
  number BIGINT PRIMARY KEY, at DOUBLE PRECISION NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
  subject TEXT NOT NULL, tenant TEXT NOT NULL, detail TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL);
CREATE INDEX audit_entry_by_tenant ON audit_entry (tenant, number);
CREATE TABLE audit_checkpoint (
  number BIGINT NOT NULL, at DOUBLE PRECISION NOT NULL, origin TEXT NOT NULL, hash TEXT NOT NULL, key_id TEXT NOT NULL,
  signature TEXT NOT NULL, PRIMARY KEY (number, at));
"""
_SERVED = """\
CREATE TABLE served_name (
  kind TEXT NOT NULL, name TEXT NOT NULL, at DOUBLE PRECISION NOT NULL, PRIMARY KEY (kind, name));
"""
_AGED = "CREATE INDEX account_request_by_at ON account_request (at);\n"
_GUARDED = ("audit_entry", "audit_checkpoint")
_REFUSAL = "the audit log is only ever added to"


def schema(engine: Engine) -> Schema:
    """The tables, spelt for one of the two databases."""
    guards = _sqlite_guards() if engine is Engine.SQLITE else _postgres_guards()
    return Schema("accounts", (_TABLES, guards, _SERVED, _AGED))


def _sqlite_guards() -> str:
    return "".join(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END;\n"
        for table in _GUARDED
        for verb in ("UPDATE", "DELETE")
    )


def _postgres_guards() -> str:
    refuse = (
        "CREATE FUNCTION audit_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$;\n"
    )
    return refuse + "".join(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_is_only_added_to();\n"
        for table in _GUARDED
    )
