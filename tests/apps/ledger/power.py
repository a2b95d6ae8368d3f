"""A disk that loses what was not synced: the files of a test as a power cut would leave them."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

from tests.conftest import missing_component

_SOURCE = Path(__file__).resolve().parents[2] / "factories" / "power_cut.c"
_SECTOR = 512
_NEVER_KEPT = ("-shm", ".sock", ".metrics", ".part")
"""Rebuilt after every start, or of no account."""


class Disk:
    """A folder whose synced state is kept beside it, by every process that runs with `environment`."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.root = folder / "disk"
        self._image = folder / "image"
        self._shim = folder / "power_cut.so"
        self._chance = chance
        self.root.mkdir()
        self._image.mkdir()
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            missing_component("there is no C compiler")
        subprocess.run(
            [str(compiler), "-shared", "-fPIC", "-O1", "-o", str(self._shim), str(_SOURCE), "-ldl"], check=True
        )

    @property
    def environment(self) -> dict[str, str]:
        """Environment of a process whose syncs are noticed."""
        return {
            **os.environ,
            "LD_PRELOAD": str(self._shim),
            "POWER_CUT_ROOT": str(self.root),
            "POWER_CUT_IMAGE": str(self._image),
        }

    def cut(self) -> int:
        """Leaves what a power cut may leave, once all processes are dead; how many files are not as they were.

        Sectors that were not synced are there or not, each for itself; names likewise, made or removed.
        """
        found = {path for path in self.root.rglob("*") if path.is_file() and not path.name.endswith(_NEVER_KEPT)}
        named = {self.root / name[2:].replace("%", "/") for name in os.listdir(self._image) if name.startswith("n%")}
        changed = 0
        for path in sorted(found | named):
            before = path.read_bytes() if path in found else None
            after = self._left_of(path, before, is_named=path in named)
            changed += before != after
            if after is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(after)
        for path in self.root.rglob("*"):
            if path.is_file() and path.name.endswith(_NEVER_KEPT):
                path.unlink()
        self._settle()
        return changed

    def _left_of(self, path: Path, real: bytes | None, *, is_named: bool) -> bytes | None:
        """Content of a file after the cut, `None` when it is gone."""
        image = self._image / f"c%{self._below(path)}"
        synced = image.read_bytes() if image.exists() else b""
        if (real is None or not is_named) and self._chance.random() < 0.5:
            return None  # removed and not synced, or made and not synced: either may be what is found
        written = synced if real is None else real
        share = self._chance.choice((0.0, 0.5, 1.0))
        size = self._chance.choice((len(synced), max(len(synced), len(written))))
        mixed = bytearray(synced.ljust(size, b"\0")[:size])
        for place in range(0, min(size, len(written)), _SECTOR):
            sector = written[place : place + _SECTOR]
            if self._chance.random() < share:
                mixed[place : place + len(sector)] = sector[: size - place]
        return bytes(mixed)

    def _settle(self) -> None:
        """What is left is on the disk for certain."""
        shutil.rmtree(self._image)
        self._image.mkdir()
        for path in self.root.rglob("*"):
            if path.is_file():
                shutil.copyfile(path, self._image / f"c%{self._below(path)}")
                (self._image / f"n%{self._below(path)}").touch()

    def _below(self, path: Path) -> str:
        return str(path.relative_to(self.root)).replace("/", "%")
