"""Secrets are made once and read by their owner only; signatures are those of openssl; witnesses forget nothing."""

from __future__ import annotations

import base64
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from tests.conftest import missing_component

from tripoint.adapters.signing.ed25519 import Ed25519Signer, read_verifier
from tripoint.adapters.signing.pepper import open_pepper, read_pepper
from tripoint.adapters.signing.places import beside_store
from tripoint.adapters.signing.secret_file import read_or_make
from tripoint.adapters.signing.witness import append_checkpoint, leave_missing, read_checkpoints
from tripoint.domain.audit import Checkpoint
from tripoint.domain.errors import FileError

CHECKPOINT = Checkpoint("tripoint-test", 7, "ab" * 32, 1_795_003_200.25, "cd" * 32, "c2lnbmF0dXJl")


def test_a_secret_is_made_once_for_its_owner(tmp_path: Path) -> None:
    """Folder and file are made; what is there already stays."""
    path = tmp_path / "new" / "secret"
    assert read_or_make(path, lambda: b"first") == b"first"
    assert read_or_make(path, lambda: b"second") == b"first"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["secret"]


def test_whoever_asks_at_once_gets_the_same_secret(tmp_path: Path) -> None:
    """Many threads, one file."""
    got: list[bytes] = []
    threads = [
        threading.Thread(target=lambda number=number: got.append(read_or_make(tmp_path / "s", lambda: bytes([number]))))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(got)) == 1


def test_a_secret_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    """The message says how to mend it."""
    path = tmp_path / "pepper"
    open_pepper(path)
    path.chmod(0o644)
    with pytest.raises(FileError, match="mode 0644") as refused:
        read_pepper(path)
    assert "chmod 600" in refused.value.hint


def test_a_pepper_is_read_as_it_was_made(tmp_path: Path) -> None:
    """32 bytes, others every time."""
    one, other = open_pepper(tmp_path / "one"), open_pepper(tmp_path / "other")
    assert read_pepper(tmp_path / "one") == one
    assert len(one) == len(other) == 32
    assert one != other


@pytest.mark.parametrize("content", [b"", b"abc", b"x" * 64, b"ab" * 33, b"\xff" * 64])
def test_what_is_no_pepper_is_told(tmp_path: Path, content: bytes) -> None:
    """A damaged one must not pass for another."""
    path = tmp_path / "pepper"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(FileError, match="is not a pepper"):
        read_pepper(path)


def test_a_pepper_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(FileError, match="gone"):
        read_pepper(tmp_path / "gone")
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot be used"):
        open_pepper(tmp_path / "file" / "pepper")


def test_a_signature_is_good_for_its_message_and_key_only(tmp_path: Path) -> None:
    """And stays so after the key is read again."""
    signer, other = Ed25519Signer(tmp_path / "key"), Ed25519Signer(tmp_path / "other")
    signature = signer.sign(b"message")
    again = Ed25519Signer(tmp_path / "key")
    assert again.key_id == signer.key_id != other.key_id
    assert again.public.is_good(b"message", signature)
    assert not again.public.is_good(b"massage", signature)
    assert not other.public.is_good(b"message", signature)
    for broken in ("", "no base64!", "AAAA", signature[:-4], "ä"):
        assert not again.public.is_good(b"message", broken)


def test_the_public_key_travels_as_pem(tmp_path: Path) -> None:
    """What `tripoint audit key` prints is enough to verify with."""
    signer = Ed25519Signer(tmp_path / "key")
    (tmp_path / "public.pem").write_text(signer.public.pem, encoding="utf-8")
    public = read_verifier(tmp_path / "public.pem")
    assert public.key_id == signer.key_id
    assert public.is_good(b"message", signer.sign(b"message"))


def test_openssl_agrees(tmp_path: Path) -> None:
    """An auditor needs nothing of ours to check a signature."""
    program = shutil.which("openssl")
    if program is None:
        missing_component("openssl is not installed")
        return
    signer = Ed25519Signer(tmp_path / "key")
    (tmp_path / "public.pem").write_text(signer.public.pem, encoding="utf-8")
    (tmp_path / "message").write_bytes(b"message")
    (tmp_path / "signature").write_bytes(base64.b64decode(signer.sign(b"message")))
    command = [program, "pkeyutl", "-verify", "-pubin", "-inkey", "public.pem", "-rawin", "-in", "message"]
    ran = subprocess.run([*command, "-sigfile", "signature"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    (tmp_path / "message").write_bytes(b"massage")
    assert subprocess.run(
        [*command, "-sigfile", "signature"], cwd=tmp_path, capture_output=True, check=False
    ).returncode


def test_a_key_file_that_holds_none_is_told(tmp_path: Path) -> None:
    """Private and public alike."""
    path = tmp_path / "key"
    path.write_text("nothing", encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(FileError, match="no private key"):
        Ed25519Signer(path)
    with pytest.raises(FileError, match="no public key"):
        read_verifier(path)
    with pytest.raises(FileError, match="cannot read"):
        read_verifier(tmp_path / "gone")


def test_a_key_of_another_kind_is_told(tmp_path: Path) -> None:
    """A key that cannot sign as we do."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    key = X25519PrivateKey.generate()
    (tmp_path / "key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "key").chmod(0o600)
    (tmp_path / "pub").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(FileError, match="no private key"):
        Ed25519Signer(tmp_path / "key")
    with pytest.raises(FileError, match="no public key"):
        read_verifier(tmp_path / "pub")


def test_a_witness_keeps_every_checkpoint(tmp_path: Path) -> None:
    """In order, through several runs, after a line that a crash tore."""
    path = tmp_path / "elsewhere" / "witness"
    append_checkpoint(path, CHECKPOINT)
    append_checkpoint(path, CHECKPOINT._replace(number=8))
    assert read_checkpoints(path) == (CHECKPOINT, CHECKPOINT._replace(number=8))
    with path.open("ab") as stream:
        stream.write(b'{"at":17')
    append_checkpoint(path, CHECKPOINT._replace(number=9))
    with pytest.raises(FileError, match="line 3 of the witness"):
        read_checkpoints(path)
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:2], b"", *lines[3:]]))
    assert [each.number for each in read_checkpoints(path)] == [7, 8, 9]


def test_a_witness_gets_what_it_missed_and_nothing_twice(tmp_path: Path) -> None:
    """Also when its last line was torn by a crash."""
    path = tmp_path / "witness"
    made = [CHECKPOINT._replace(number=number) for number in range(1, 5)]
    leave_missing(path, made[:2])
    leave_missing(path, made[:3])
    leave_missing(path, made[:3])
    assert read_checkpoints(path) == tuple(made[:3])
    path.write_bytes(path.read_bytes()[:-20])
    leave_missing(path, made)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], *lines[3:]]))
    assert read_checkpoints(path) == tuple(made)
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError, match="cannot read the witness"):
        leave_missing(tmp_path / "folder", made)


@pytest.mark.parametrize("line", ["{}", "[]", "null", "x", '{"at": 1}', '{"at":"' + "x" * 5000 + '"}'])
def test_a_line_that_is_no_checkpoint_is_told(tmp_path: Path, line: str) -> None:
    """Rather than passed over: somebody edited the witness."""
    path = tmp_path / "witness"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(FileError, match="line 1 of the witness"):
        read_checkpoints(path)


def test_a_witness_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    """To write and to read."""
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="no checkpoint could be left"):
        append_checkpoint(tmp_path / "file" / "witness", CHECKPOINT)
    with pytest.raises(FileError, match="cannot read the witness"):
        read_checkpoints(tmp_path / "gone")


def test_secrets_lie_beside_a_file_and_apart_from_a_server() -> None:
    """A password in the URL does not change which file it is."""
    state = Path("/state")
    assert beside_store("sqlite:///run/store.db", "pepper", state) == Path("run/store.db.pepper")
    assert beside_store("run/store.db", "pepper", state) == Path("run/store.db.pepper")
    one = beside_store("postgresql://ann@db/tripoint", "pepper", state)
    assert one == beside_store("postgres://bob:secret@db:5432/tripoint", "pepper", state)
    assert one != beside_store("postgresql://ann@db/other", "pepper", state)
    assert one.parent == state
