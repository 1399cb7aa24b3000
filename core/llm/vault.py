"""People's keys for providers: sealed before they are stored, shown to nobody afterwards."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from core.clock import Clock, new_id
from core.errors import InvalidInput, KeyUnreadable, MasterKeyUnusable
from core.ledger import Event, KeyChanged, KeySealed, Ledger, Queries
from core.llm.key_format import checked_key
from core.llm.master_key import MasterKey, MasterKeys
from core.llm.stored_key import HeldKey, Keepers, KeyEntry, Rotation, entry

__all__ = ["DEPLOYMENT", "Vault"]

log = logging.getLogger(__name__)

# What stands in the ledger for the key that the environment gave.
DEPLOYMENT = "deployment"
NOTED_EVERY = timedelta(minutes=1)
SHOWN = 4
_TRIES = 3

What = Literal["stored", "used", "replaced", "revoked", "cleared", "resealed", "erased"]


class Vault:
    """The one place that keys go into and come out of.

    A person's own key comes before the deployment's, which is never stored. Changes are made one
    after another; whoever reveals a key meanwhile waits for none of them.
    """

    def __init__(
        self,
        ledger: Ledger,
        master_keys: MasterKeys,
        clock: Clock,
        deployment: Mapping[str, SecretStr | None],
    ) -> None:
        """Nothing is read or made yet.

        Args:
            ledger: where sealed keys are kept.
            master_keys: what seals them.
            clock: the time.
            deployment: the key of each provider that the environment gave.
        """
        self._ledger = ledger
        self._queries = Queries(ledger, Path(__file__).with_name("sql"))
        self._master_keys = master_keys
        self._clock = clock
        self._deployment = {name: key for name, key in deployment.items() if key is not None}
        self._changing = threading.RLock()
        self._keepers = Keepers(self._changing, lambda: self._queries.rows("sealed_keys"))

    @classmethod
    def recovered(
        cls,
        ledger: Ledger,
        master_keys: MasterKeys,
        clock: Clock,
        deployment: Mapping[str, SecretStr | None],
    ) -> Vault:
        """Open a vault and end what a killed rotation began, as `recover` does."""
        vault = cls(ledger, master_keys, clock, deployment)
        vault.recover()
        return vault

    def store(self, user_id: str, provider: str, key: str, actor: str) -> str:
        """Seal a key and make it the person's; the one before it is replaced.

        Returns:
            The new key's id.

        Raises:
            InvalidInput: it is no key of this provider.
            MasterKeyUnusable: there is nothing to seal it with.
            LedgerUnavailable: it could not be made durable; the one before it stays in force.
        """
        text = checked_key(provider, key)
        with self._changing:
            master = self._master_keys.sealing()
            before = self._in_force(user_id, provider)
            key_id = new_id()
            sealed = KeySealed(
                ts=self._clock.now(),
                key_id=key_id,
                user_id=user_id,
                provider=provider,
                last_four=text[-SHOWN:],
                actor=actor,
                master_id=master.id,
                sealed=master.seal(text, user_id, provider, key_id),
            )
            facts: list[Event] = [sealed, self._fact(vars(sealed), "stored", actor)]
            if before is not None:
                old = vars(sealed) | {"key_id": before["key_id"]}
                facts.append(self._fact(old, "replaced", actor))
            self._ledger.write(*facts)
            self._keepers.changed()
        return key_id

    def reveal(self, user_id: str, provider: str) -> str | None:
        """Return the key to call with, as `held` does."""
        held = self.held(user_id, provider)
        return held.secret.get_secret_value() if held else None

    def held(self, user_id: str, provider: str) -> HeldKey | None:
        """Return the person's key, else the deployment's, else None; the use is noted.

        Raises:
            KeyUnreadable: the person's key cannot be opened, so that nobody else's is billed.
            MasterKeyUnusable: the file of the master key is open to others, or damaged.
            LedgerUnavailable: the use could not be noted.
        """
        for _ in range(_TRIES):
            is_keeper = (user_id, provider) in self._keepers.known()
            row = self._in_force(user_id, provider) if is_keeper else None
            if row is None:
                secret = self._deployment.get(provider)
                return HeldKey(DEPLOYMENT, secret) if secret else None
            master = self._masters().get(row["master_id"])
            if master is not None:
                text = master.unseal(row["sealed"], user_id, provider, row["key_id"])
                self._note_use(row | {"user_id": user_id, "provider": provider})
                return HeldKey(row["key_id"], SecretStr(text))
            # A rotation ended between the two readings; what it sealed is read next.
        raise KeyUnreadable(
            "Your stored key was sealed with a master key that is not there: put that back, or "
            "enter your key again."
        )

    def listed(self, user_id: str) -> list[KeyEntry]:
        """Return what may be shown of all keys a person ever stored, the newest first."""
        known = self._masters()
        return [entry(row, known) for row in self._queries.rows("keys_of", user_id=user_id)]

    def has_key(self, user_id: str, provider: str) -> bool:
        """Whether there is a key for a person, their own or the deployment's; none is opened."""
        return provider in self._deployment or (user_id, provider) in self._keepers.known()

    def has_keys(self, provider: str) -> bool:
        """Whether there is a key for anybody."""
        kept = {kept for _, kept in self._keepers.known()}
        return provider in kept | self._deployment.keys()

    def has_deployment_key(self, provider: str) -> bool:
        """Whether the environment gave a key, which counts for whoever has none."""
        return provider in self._deployment

    def revoke(self, user_id: str, key_id: str, actor: str) -> None:
        """End a person's key at once; what is sealed goes when the master key changes next.

        Raises:
            InvalidInput: the person has no such key in use.
            LedgerUnavailable: it could not be made durable; the key is still in use.
        """
        with self._changing:
            for row in self._queries.rows("keys_of", user_id=user_id):
                if row["key_id"] == key_id and row["ended_by"] is None:
                    fact = self._fact(row | {"user_id": user_id}, "revoked", actor)
                    self._ledger.write(fact)
                    self._keepers.changed()
                    return
        raise InvalidInput("key", "This key is no longer in use.")

    def clear(self, provider: str, actor: str) -> int:
        """End everybody's keys for a provider, as when its address changes.

        Returns:
            How many there were.
        """
        with self._changing:
            facts = [
                self._fact(row, "cleared", actor)
                for row in self._queries.rows("sealed_keys")
                if row["provider"] == provider and not row["has_ended"]
            ]
            self._ledger.write(*facts)
            self._keepers.changed()
        return len(facts)

    @property
    def master_key_place(self) -> str:
        """Where the master key is kept, as an operator knows it."""
        return self._master_keys.place

    @property
    def can_rotate(self) -> bool:
        """Whether a new master key can be made here."""
        return self._master_keys.can_rotate

    def rotate(self, actor: str) -> Rotation:
        """Make a new master key, seal everything under it, and forget the old one.

        Killed at any point, all keys still open, and `recover` or the next rotation ends it.

        Raises:
            MasterKeyUnusable: the master key is the environment's, or cannot be written.
            LedgerUnavailable: what is sealed could not be replaced; both master keys are kept.
        """
        with self._changing:
            self._master_keys.begin_rotation()
            return self._reseal(actor)

    def recover(self) -> Rotation:
        """End what a killed rotation began, or what a new key in the environment asks for.

        A master key that cannot be used is for the log; whoever needs a stored key hears of it.
        """
        try:
            with self._changing:
                return self._reseal("waywarden")
        except MasterKeyUnusable as problem:
            log.error("%s", problem)  # noqa: TRY400 - the sentence is the message
            return Rotation(0, 0, 0)

    def _reseal(self, actor: str) -> Rotation:
        """Bring everything under the sealing key in one commit; older master keys may go then.

        An ended key is erased, whoever sealed it. One that cannot be opened is left as it is, for
        its master key may be found again.
        """
        masters = self._masters()
        if not masters:
            return Rotation(0, 0, 0)
        sealing = self._master_keys.sealing()
        rows = [row for row in self._queries.rows("sealed_keys") if row["master_id"] != sealing.id]
        ended = [row for row in rows if row["has_ended"]]
        renewed = [
            new
            for row in rows
            if not row["has_ended"] and (new := _renewed(row, masters, sealing)) is not None
        ]
        erased = [_sealed(row, None, None) for row in ended]
        audit = [self._fact(vars(key), "resealed", actor, sealing.id) for key in renewed]
        audit += [self._fact(row, "erased", actor) for row in ended]
        self._ledger.replace_keys([*renewed, *erased], audit)
        self._master_keys.end_rotation()
        return Rotation(len(renewed), len(erased), len(rows) - len(renewed) - len(ended))

    def _in_force(self, user_id: str, provider: str) -> dict[str, Any] | None:
        rows = self._queries.rows("key_in_force", user_id=user_id, provider=provider)
        return rows[0] if rows else None

    def _masters(self) -> dict[str, MasterKey]:
        return {master.id: master for master in self._master_keys.all()}

    def _note_use(self, row: Mapping[str, Any]) -> None:
        last = row["used_at"]
        if last is None or self._clock.now() - last >= NOTED_EVERY:
            self._ledger.write(self._fact(row, "used", row["user_id"]))

    def _fact(
        self, about: Mapping[str, Any], event: What, actor: str, master_id: str | None = None
    ) -> KeyChanged:
        return KeyChanged(
            ts=self._clock.now(),
            event_id=new_id(),
            key_id=about["key_id"],
            user_id=about["user_id"],
            provider=about["provider"],
            event=event,
            actor=actor,
            master_id=master_id,
        )


def _renewed(
    row: Mapping[str, Any], masters: Mapping[str, MasterKey], sealing: MasterKey
) -> KeySealed | None:
    """Seal a row anew; None when it cannot be opened."""
    bound = (row["user_id"], row["provider"], row["key_id"])
    master = masters.get(row["master_id"])
    try:
        text = master.unseal(row["sealed"], *bound) if master else None
    except KeyUnreadable:
        return None
    return None if text is None else _sealed(row, sealing.id, sealing.seal(text, *bound))


def _sealed(row: Mapping[str, Any], master_id: str | None, sealed: str | None) -> KeySealed:
    kept = ("ts", "key_id", "user_id", "provider", "last_four", "actor")
    return KeySealed(**{name: row[name] for name in kept}, master_id=master_id, sealed=sealed)
