"""The key that seals all others: from the environment, or a file that only its owner can read."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import KeyUnreadable, MasterKeyUnusable

__all__ = ["MasterKey", "MasterKeys"]

KEY_BYTES, NONCE_BYTES = 32, 12
OTHERS = 0o077
_HEAD = "# The first key seals people's keys for providers; those below it open what is older.\n"
_UNREADABLE = "A stored key cannot be opened: its row was changed. Enter the key again."


class MasterKey:
    """One key of 256 bits, for AES-GCM; its `id` is a hash and says nothing of it."""

    __slots__ = ("_secret", "id")

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.id = hashlib.sha256(b"waywarden master key\0" + secret).hexdigest()[:16]

    def seal(self, text: str, *bound: str) -> str:
        """Encrypt; what comes out opens only together with the same `bound`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = AESGCM(self._secret).encrypt(nonce, text.encode(), _associated(bound))
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def unseal(self, sealed: str, *bound: str) -> str:
        """Decrypt what `seal` gave.

        Raises:
            KeyUnreadable: it was changed, or belongs to others than `bound`.
        """
        try:
            raw = base64.urlsafe_b64decode(sealed)
            opened = AESGCM(self._secret).decrypt(
                raw[:NONCE_BYTES], raw[NONCE_BYTES:], _associated(bound)
            )
        except (InvalidTag, ValueError):
            raise KeyUnreadable(_UNREADABLE) from None
        return opened.decode()

    def written(self) -> str:
        """Return it as one line of its file."""
        return base64.urlsafe_b64encode(self._secret).decode()

    @classmethod
    def read(cls, line: str) -> MasterKey:
        """Read such a line.

        Raises:
            ValueError: it is none; the message does not show it.
        """
        try:
            secret = base64.b64decode(line, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if len(secret) != KEY_BYTES:
            raise ValueError("not a key of 32 bytes")
        return cls(secret)


class MasterKeys:
    """All master keys that are there: the first seals, the others only open.

    Those given by the environment come first; then the file's, which is made when the first key
    is sealed and none was given. Any thread may read; changes are made one at a time.
    """

    def __init__(self, given: Sequence[bytes], file: Path) -> None:
        """Nothing is read or made yet.

        Args:
            given: keys of 32 bytes from the environment, the newest first.
            file: where the deployment's own is kept.
        """
        self._given = [MasterKey(secret) for secret in given]
        self._file = file
        self._filed: list[MasterKey] | None = None

    @property
    def place(self) -> str:
        """Where the sealing key is kept, as an operator knows it."""
        return "WAYWARDEN_MASTER_KEY" if self._given else str(self._file)

    @property
    def can_rotate(self) -> bool:
        """Whether a new key can be made here; those of the environment are changed there."""
        return not self._given

    @property
    def is_rotating(self) -> bool:
        """Whether a rotation was begun and not ended."""
        return len(self._in_file()) > 1 and not self._given

    def sealing(self) -> MasterKey:
        """Return the key that seals, made now if there is none.

        Raises:
            MasterKeyUnusable: its file is open to others, damaged, or cannot be written.
        """
        if not self.all():
            self._write([MasterKey(secrets.token_bytes(KEY_BYTES))])
        return self.all()[0]

    def all(self) -> list[MasterKey]:
        """Return all keys, the sealing one first; none if none was ever needed.

        Raises:
            MasterKeyUnusable: the file is open to others, or damaged.
        """
        return [*self._given, *self._in_file()]

    def begin_rotation(self) -> MasterKey:
        """Put a new key before the file's others, durably, and return it.

        Raises:
            MasterKeyUnusable: the keys come from the environment, or the file cannot be written.
        """
        if not self.can_rotate:
            raise MasterKeyUnusable(
                "The master key comes from WAYWARDEN_MASTER_KEY: put a new one before it, with a "
                "comma between, and restart; what is stored is sealed anew at the start."
            )
        self._write([MasterKey(secrets.token_bytes(KEY_BYTES)), *self._in_file()])
        return self.sealing()

    def end_rotation(self) -> None:
        """Forget the file's keys but the first, once nothing needs them."""
        if self.is_rotating:
            self._write(self._in_file()[:1])

    def _in_file(self) -> list[MasterKey]:
        if self._filed is None:
            self._filed = self._read()
        return self._filed

    def _read(self) -> list[MasterKey]:
        try:
            with self._file.open(encoding="ascii") as file:
                if os.fstat(file.fileno()).st_mode & OTHERS:
                    raise MasterKeyUnusable(
                        f"Others can read {self._file}: run chmod 600 on it, and rotate the "
                        "master key if they may have."
                    )
                lines = [line.strip() for line in file if not line.startswith("#")]
            keys = [MasterKey.read(line) for line in lines if line]
        except FileNotFoundError:
            return []
        except OSError as problem:
            said = f"{self._file} cannot be read: {problem.strerror}."
            raise MasterKeyUnusable(said) from None
        except ValueError:
            keys = []
        if not keys:
            raise MasterKeyUnusable(
                f"{self._file} is damaged: put it back from a copy, or move it away and enter "
                "all keys again."
            )
        return keys

    def _write(self, keys: list[MasterKey]) -> None:
        """Replace the file whole: a kill leaves the old one or the new one."""
        new = self._file.with_name(f".{self._file.name}.new")
        text = _HEAD + "".join(f"{key.written()}\n" for key in keys)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            new.unlink(missing_ok=True)  # of a process that was killed here
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.rename(self._file)
            _to_disk(self._file.parent)
        except OSError as problem:
            said = f"{self._file} cannot be written: {problem.strerror}."
            raise MasterKeyUnusable(said) from None
        self._filed = keys


def _associated(bound: Sequence[str]) -> bytes:
    # As JSON, so that no two lists of names run into one text.
    return json.dumps(["waywarden key 1", *bound]).encode()


def _to_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
