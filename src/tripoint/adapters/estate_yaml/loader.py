"""From a path to a loaded estate: read, decode, follow the demand profiles it names, digest.

Nothing outside the estate's own folder is opened: an estate is shared and reviewed as one folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from tripoint.adapters.estate_yaml.decode import decode, decode_document
from tripoint.adapters.estate_yaml.document import read_document
from tripoint.adapters.estate_yaml.stand_in import read_about
from tripoint.domain.demand import PROFILE_SCHEMA, DemandProfile
from tripoint.domain.errors import EstateError, Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import finding
from tripoint.domain.source import LoadedEstate
from tripoint.domain.units import WorkloadId

MAX_PROFILE_BYTES = 1_000_000


def load_estate_file(path: str | Path) -> LoadedEstate:
    """The estate declared by a file or folder; raises `EstateError` with all findings so far."""
    path = Path(path)
    document = read_document(path)
    estate = decode_document(document, Estate)
    if estate is None:
        raise EstateError(tuple(document.findings))
    folder = path if path.is_dir() else path.parent
    profiles, findings = _profiles(estate, folder)
    positions = document.positions
    if findings:
        raise EstateError(tuple(positions.locate(said) for said in findings))
    return LoadedEstate(
        estate=estate,
        profiles=profiles,
        digest=digest_of(estate, profiles),
        positions=positions,
        files=tuple(document.files),
    )


def read_readable_estate(path: str | Path) -> LoadedEstate | None:
    """An estate with mistakes of form, which are its findings, and stand-ins in their place; without its profiles.

    `None` where too much of it is missing to ask whether the rest makes sense.
    """
    document = read_document(Path(path))
    estate = decode_document(document, Estate) or read_about(document, Estate)
    if estate is None:
        return None
    return LoadedEstate(
        estate=estate,
        profiles={},
        digest="",
        findings=tuple(document.findings),
        positions=document.positions,
        files=tuple(document.files),
    )


def _profiles(estate: Estate, folder: Path) -> tuple[dict[WorkloadId, DemandProfile], list[Finding]]:
    profiles: dict[WorkloadId, DemandProfile] = {}
    findings: list[Finding] = []
    for index, workload in enumerate(estate.workloads):
        if workload.demand.profile is None:
            continue
        where = f"workloads[{index}].demand.profile"
        profile, said = _profile(workload.demand.profile, folder, where)
        findings += said
        if profile is not None:
            profiles[workload.id] = profile
    return profiles, findings


def _profile(name: str, folder: Path, where: str) -> tuple[DemandProfile | None, list[Finding]]:
    """One demand profile, or what keeps it from being used."""
    try:
        base = folder.resolve()
        file = (base / name).resolve()
        if not file.is_relative_to(base):
            message = f"`{name}` lies outside the estate's folder"
            return None, [finding("TP1151", where, message, "copy the profile next to the estate")]
        with file.open("rb") as stream:
            content = stream.read(MAX_PROFILE_BYTES + 1)
        if len(content) > MAX_PROFILE_BYTES:
            raise ValueError(f"it is larger than {MAX_PROFILE_BYTES / 1e6:g} MB")
        value = json.loads(content.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        return None, [_unreadable_profile(name, where, error)]
    if not isinstance(value, dict) or value.get("schema") != PROFILE_SCHEMA:
        found = value.get("schema") if isinstance(value, dict) else None
        said = f"found `{str(found)[:60]}`" if found is not None else "found none"
        message = f"`{name}` expects the schema `{PROFILE_SCHEMA}`, {said}"
        return None, [finding("TP1153", where, message, "write it with `tripoint demand fit`")]
    profile, findings = decode(value, DemandProfile)
    return profile, [
        finding("TP1153", where, f"`{name}` at `{said.path}`: {said.message}", said.hint) for said in findings
    ]


def _unreadable_profile(name: str, where: str, error: Exception) -> Finding:
    if isinstance(error, FileNotFoundError):
        reason = "there is no such file beside the estate"
    elif isinstance(error, RecursionError):
        reason = "it is nested too deeply"
    elif isinstance(error, UnicodeDecodeError):
        reason = "it is not UTF-8 text"
    elif isinstance(error, OSError):
        reason = error.strerror or str(error)
    else:
        reason = str(error)
    hint = "`tripoint demand fit FILE --out PROFILE` writes one"
    return finding("TP1152", where, f"the demand profile `{name}` cannot be read: {reason}", hint)


def digest_of(estate: Estate, profiles: Mapping[WorkloadId, DemandProfile]) -> str:
    """`sha256:` over the canonical JSON of the estate and its profiles.

    `serving` is left out: the planner does not look at it, so a new upstream or key must not make a plan another's.
    """
    planned = asdict(estate)
    del planned["serving"]
    content = {
        "estate": planned,
        "profiles": {name: asdict(profile) for name, profile in sorted(profiles.items())},
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
