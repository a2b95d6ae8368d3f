"""A bad quarter of a minute: full disk, reloads, deaths, panic; `chat` must stay in the EEA: R9, R16, R23, R27.

Every prompt carries a canary. At the end the server abroad, which is the cheapest and well all the time, must not have
been asked once, and nothing the gateway has written may hold a prompt or a secret.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tripoint.apps import wiring
from tripoint.apps.battery.load import Fate, Outcome, Outcomes, chats, offered, sent
from tripoint.apps.battery.rig.gateway import KEY, UPSTREAM_KEY
from tripoint.apps.battery.rig.scene import Scene, staged
from tripoint.apps.battery.verdict import Row, judged, told
from tripoint.apps.battery.wire.raw import request

RATE = 40.0
PROMPT_CANARY = "prompt-canary-51c7e0a2"
HEADER_CANARY = "header-canary-90d3b6f4"
QUIET = (0.5, 5.5)
"""Nothing permitted fails in this part of the load, s after its start: nothing may be lost."""
SECONDS = 11.0
SETTLE_S = 1.5
FILES = 24
"""Kept connections to upstreams, and files of records, that may have come in the meantime."""


@dataclass(slots=True)
class Diary:
    """What was done and found on the way."""

    bad_refused: bool = False
    """Whether the gateway served on after an estate it must refuse."""
    kept: int = 0
    """Usage records on disk at the end."""
    leaks: list[str] = field(default_factory=list)
    """Secrets and prompts found in what it wrote or told."""
    abroad: int = 0
    """Requests of `chat` and `batch` that went abroad."""
    reached: bool = False
    """Whether the server abroad could be reached at all, by a request that may."""
    counted: int = 0
    """Requests the gateway's own metrics tell of, whatever their end."""
    files: tuple[int, int] = (0, 0)
    """Open files before and after."""
    others: list[Outcome] = field(default_factory=list)
    """Requests beside the load."""
    labelled: list[Outcome] = field(default_factory=list)
    """Those among them with a label nobody declared."""


async def upheaval() -> list[Row]:
    """R9, R16, R27 and a reload under load, in one run."""
    diary = Diary()
    async with staged() as scene:
        diary.reached = await _reaches_abroad(scene)
        await scene.gateway.be_whole()
        files = scene.gateway.open_files()
        load = asyncio.create_task(_load(scene))
        await _troubles(scene, diary)
        outcomes = await load
        diary.labelled = await _unlisted_labels(scene)
        diary.others += diary.labelled
        diary.abroad = (await scene.abroad.counts())["requests"] - 1
        await asyncio.sleep(SETTLE_S)
        diary.files = (files, scene.gateway.open_files())
        told_pages = [await scene.gateway.get(path) for path in ("/metrics", "/readyz", "/healthz")]
        diary.counted = _counted(told_pages[0][1])
        scene.gateway.stop()
        answers = [each.body for each in (*outcomes.all, *diary.others) if each.status >= 400]
        diary.leaks = _leaks(scene, [page for _, page in told_pages], answers)
        diary.kept = wiring.count_usage_records(scene.gateway.run_folder)
    started = outcomes.all[0].at
    quiet = Outcomes(tuple(each for each in outcomes.all if QUIET[0] <= each.at - started <= QUIET[1]))
    expected = len(outcomes) + len(diary.others) + 1
    return [
        _disk_row(quiet, diary, expected),
        _reload_row(quiet, diary),
        _residency_row(outcomes, diary),
        _secrets_row(outcomes, diary),
        _accounts_row(diary, expected),
    ]


async def _load(scene: Scene) -> Outcomes:
    prompt = [{"role": "user", "content": f"{PROMPT_CANARY} say some words"}]
    headers = [("x-secret", HEADER_CANARY), ("cookie", HEADER_CANARY)]
    places = [scene.gateway.place(name) for name in ("chat", "batch")]

    def make(number: int) -> bytes:
        place = places[number % 2]
        members = {"model": place.model, "messages": prompt, "max_tokens": 8, "stream": number % 3 == 0}
        return request(place, body=json.dumps(members).encode(), headers=headers)

    return await offered(scene.chat, make, rate=RATE, seconds=SECONDS)


async def _troubles(scene: Scene, diary: Diary) -> None:
    """The timetable; times are s after the load began."""
    gateway, started = scene.gateway, time.monotonic()

    async def until(at: float) -> None:
        await asyncio.sleep(max(0.0, started + at - time.monotonic()))

    await until(0.6)
    gateway.limit_files(0)
    await until(2.2)
    gateway.limit_files(-1)
    gateway.reload(scene.estate.replace('"battery"', '"battery reloaded"'))
    await until(3.5)
    gateway.reload('{"apiVersion": "tripoint/v1", "name": "broken", "sites": [')
    await until(4.3)
    gateway.reload(scene.estate.replace('"EEA"', '"no such place"'))
    await until(5.0)
    probe = await sent(scene.chat, chats(scene.chat)(0))
    diary.others.append(probe)
    diary.bad_refused = probe.fate is Fate.OK
    gateway.reload(scene.estate)
    await until(5.6)
    scene.dense.kill()
    await until(6.6)
    await scene.cloud.behave(is_reset=True)
    await until(8.0)
    await scene.cloud.behave(status=429, retry_after_s=1)
    await until(8.8)
    await scene.cloud.behave()
    await scene.dense.start()


async def _reaches_abroad(scene: Scene) -> bool:
    place = scene.gateway.place("open")
    outcome = await sent(place, chats(place)(0))
    return outcome.fate is Fate.OK and (await scene.abroad.counts())["requests"] == 1


async def _unlisted_labels(scene: Scene) -> list[Outcome]:
    """Requests with labels nobody declared: refused, wherever their workload might go."""
    outcomes = []
    for name in ("chat", "open"):
        place = scene.gateway.place(name)
        for label in ("unheard-of", "EEA", "*", "confidential,internal"):
            body = json.dumps({"model": name, "messages": [{"role": "user", "content": PROMPT_CANARY}]}).encode()
            content = request(place, body=body, headers=[("x-tripoint-classification", label)])
            outcomes.append(await sent(place, content))
    return outcomes


def _leaks(scene: Scene, pages: Sequence[bytes], answers: Sequence[bytes]) -> list[str]:
    secrets = {"the client key": KEY, "the upstream's key": UPSTREAM_KEY, "a prompt": PROMPT_CANARY}
    secrets["a header"] = HEADER_CANARY
    written = list(scene.gateway.written())
    written += [("a page", page) for page in pages] + [("a refusal", body) for body in answers]
    found = {f"{name} in {where}" for where, content in written for name, secret in secrets.items()
             if secret.encode() in content}  # fmt: skip
    return sorted(found)


def _disk_row(quiet: Outcomes, diary: Diary, expected: int) -> Row:
    lost = len(quiet) - quiet.count(Fate.OK)
    seen = f"{lost} of {len(quiet)} lost; {diary.kept} records on disk for {expected} requests"
    is_met = not lost and diary.kept == expected
    what = "no file can be written for 1.6 s under load"
    bar = "0 requests lost, every record on disk once it can be written again"
    return judged("R9", what, bar, passed=is_met, seen=seen)


def _reload_row(quiet: Outcomes, diary: Diary) -> Row:
    lost = len(quiet) - quiet.count(Fate.OK)
    seen = (
        f"{lost} of {len(quiet)} lost; after two bad estates it {'served on' if diary.bad_refused else 'did not serve'}"
    )
    what, bar = "a good, a broken and an impossible estate are loaded under load", "0 lost, the bad ones refused"
    return judged("R-reload", what, bar, passed=not lost and diary.bad_refused, seen=seen)


def _residency_row(outcomes: Outcomes, diary: Diary) -> Row:
    what = "deaths, panic, reloads and unknown labels, with a well and cheaper server abroad"
    bar = "0 requests of `chat` and `batch` abroad; undeclared labels refused"
    if not diary.reached:
        return judged("R16", what, bar, passed=False, seen="the server abroad was not reachable even for `open`")
    abroad, permitted = diary.abroad, len(outcomes) + len(diary.others)
    served = sum(each.fate is Fate.OK for each in diary.labelled)
    seen = f"{abroad} of {permitted} requests went abroad ({outcomes})"
    seen += f"; {served} of {len(diary.labelled)} requests with an undeclared label were served" if served else ""
    return judged("R16", what, bar, passed=abroad == 0 and not served, seen=seen)


def _secrets_row(outcomes: Outcomes, diary: Diary) -> Row:
    what = "keys, prompts and headers in logs, records, metrics, pages and refusals"
    seen = told(
        diary.leaks, f"none, after {len(outcomes)} requests of which {outcomes.count(Fate.REFUSED)} were refused"
    )
    return judged("R27", what, "0 found", passed=not diary.leaks, seen=seen)


def _counted(page: bytes) -> int:
    """The sum over every kind of end on the page of metrics."""
    lines = [
        line for line in page.decode("utf-8", "replace").splitlines() if line.startswith("tripoint_requests_total{")
    ]
    return int(sum(float(line.rsplit(" ", 1)[1]) for line in lines))


def _accounts_row(diary: Diary, expected: int) -> Row:
    before, after = diary.files
    seen = f"{diary.counted} of {expected} requests accounted for; {before} files open before, {after} after"
    is_met = diary.counted == expected and after <= before + FILES
    bar = f"every request accounted for, at most {FILES} files more"
    return judged("R23", "the account after all that (a soak of seconds, not of hours)", bar, passed=is_met, seen=seen)
