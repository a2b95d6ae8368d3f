"""The OpenAPI 3.1 document, made from the route table and the types it names; nothing in it is written by hand."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from tripoint.apps.admin.contract import Nothing, Operation
from tripoint.apps.admin.wire.problems import MEDIA_TYPE, TITLES, Problem

_REF = "#/components/schemas/{name}"
_PART = re.compile(r"{(\w+)}")
_ABOUT = (
    "Tenants, principals, keys, limits, the audit log and the ledger's sums. Money is in dollars as exact "
    "decimals in text; times are seconds since 1970; days are UTC."
)


def document(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """The whole document."""
    named = {kind for each in operations for kind in (each.answer, each.body) if kind is not None}
    ordered = sorted(named - {Nothing} | {Problem}, key=str)
    _, schemas = msgspec.json.schema_components(ordered, ref_template=_REF)
    _describe(schemas, ordered)
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    made = {
        "openapi": "3.1.0",
        "info": {"title": "tripoint admin interface", "version": version, "description": _ABOUT,
                 "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": name} for name in dict.fromkeys(each.group for each in operations)],
        "paths": paths,
        "components": {
            "schemas": {name: schemas[name] for name in sorted(schemas)},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description":
                "An admin key (`tpa_…`), or a token of the declared OpenID Connect provider."}},
            "responses": _refusals({status for each in operations for status in statuses(each)}),
            "headers": {
                "ETag": {"description": "Version of what is answered.", "schema": {"type": "string"}},
                "Location": {"description": "Address of what was created.", "schema": {"type": "string"}},
                "RequestId": {"description": "Id of the request in the log.", "schema": {"type": "string"}},
            },
        },
    }  # fmt: skip
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(made))
    return plain


def statuses(operation: Operation) -> tuple[int, ...]:
    """Every status an operation may answer with beside success."""
    found = {400, 403, 429, 500, 503} if operation.right is None else {400, 401, 403, 429, 500, 503}
    if operation.body is not None:
        found |= {413, 415, 422}
    if "{" in operation.path:
        found.add(404)
    if operation.needs_tag:
        found |= {412, 428}
    return tuple(sorted(found | set(operation.refusals)))


def _operation(operation: Operation) -> dict[str, Any]:
    right = f"\n\nNeeds the right `{operation.right}`." if operation.right else ""
    made: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.summary + right,
        "tags": [operation.group],
        "parameters": _parameters(operation),
        "responses": _responses(operation),
    }
    if operation.right is None:
        made["security"] = []
    if operation.body is not None:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(operation.body)}}}
    return made


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 200}}
        for name in _PART.findall(operation.path)
    ]
    texts = attribute_texts(operation.query)
    _, schemas = msgspec.json.schema_components([operation.query], ref_template=_REF)
    own = schemas[operation.query.__name__]
    for name, schema in own.get("properties", {}).items():
        resolved = _inlined(schema, schemas)
        found.append({
            "name": name, "in": "query", "required": name in own.get("required", ()), "explode": False,
            "description": texts.get(name, ""), "schema": resolved,
        })  # fmt: skip
    if operation.needs_tag:
        found.append({
            "name": "If-Match", "in": "header", "required": True, "schema": {"type": "string", "minLength": 1},
            "description": "Version to be changed, the `ETag` it was read with; `*` for any.",
        })  # fmt: skip
    if operation.can_repeat:
        found.append({
            "name": "Idempotency-Key", "in": "header", "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            "description": "The same key of the same caller creates once, however often it is sent within 24 hours.",
        })  # fmt: skip
    return found


def _inlined(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema without references: enumerations are written out where they are used."""
    if "$ref" in schema:
        return _inlined(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas)
    made = {name: value for name, value in schema.items() if name not in ("title", "default")}
    for name in ("anyOf", "items"):
        if name in made:
            value = made[name]
            made[name] = [_inlined(each, schemas) for each in value] if name == "anyOf" else _inlined(value, schemas)
    if "anyOf" in made:  # a query has no `null`: what is not given is left out
        rest = [each for each in made["anyOf"] if each.get("type") != "null"]
        del made["anyOf"]
        made |= {"anyOf": rest} if len(rest) > 1 else rest[0]
    return made


def _responses(operation: Operation) -> dict[str, Any]:
    headers = {"x-request-id": {"$ref": "#/components/headers/RequestId"}}
    good = dict(headers)
    if operation.is_tagged:
        good["etag"] = {"$ref": "#/components/headers/ETag"}
    if operation.status == 201:
        good["location"] = {"$ref": "#/components/headers/Location"}
    success: dict[str, Any] = {"description": "Done.", "headers": good}
    if operation.answer is not Nothing:
        success["content"] = {"application/json": {"schema": _ref(operation.answer)}}
    rest = {str(status): {"$ref": f"#/components/responses/{_refusal(status)}"} for status in statuses(operation)}
    return {str(operation.status): success, **rest}


def _refusals(answered: set[int]) -> dict[str, Any]:
    """Every refusal once: they all look alike."""
    shared = {
        "headers": {"x-request-id": {"$ref": "#/components/headers/RequestId"}},
        "content": {MEDIA_TYPE: {"schema": _ref(Problem)}},
    }
    return {_refusal(status): {"description": TITLES[status], **shared} for status in sorted(answered)}


def _refusal(status: int) -> str:
    return f"Refused{status}"


def _ref(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": _REF.format(name=kind.__name__)}


def _describe(schemas: dict[str, Any], kinds: Sequence[type]) -> None:
    """Puts the attributes' docstrings into the schemas, so that a field is explained in one place only."""
    texts: dict[str, dict[str, str]] = {}
    for module in {kind.__module__ for kind in kinds}:
        texts |= _module_texts(module)
    for name, schema in schemas.items():
        for field, text in texts.get(name, {}).items():
            found = schema.get("properties", {}).get(field)
            if found is not None and "$ref" not in found:
                found["description"] = text


def attribute_texts(kind: type) -> dict[str, str]:
    """Attribute docstrings of a class and its bases, by attribute."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("tripoint."):
            found |= _module_texts(base.__module__).get(base.__name__, {})
    return found


@cache
def _module_texts(module: str) -> dict[str, dict[str, str]]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: dict(_attributes(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _attributes(node: ast.ClassDef) -> list[tuple[str, str]]:
    found = []
    for line, below in zip(node.body, node.body[1:], strict=False):
        is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and is_text:
            assert isinstance(below, ast.Expr)  # as `is_text` says
            assert isinstance(below.value, ast.Constant)
            found.append((line.target.id, " ".join(str(below.value.value).split())))
    return found
