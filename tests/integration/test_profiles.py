"""Preferences: the newest row of a person counts, and nobody else's."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from pydantic import ValidationError

from core.catalogue import DOMAINS
from core.ledger import Ledger
from core.recommend import Embedder, Profile, Profiles
from core.runtime import Runtime
from core.settings import Settings
from tests.asking import UNLIMITED, asked, rows, to_recommend
from tests.fakes import FakeClock


@pytest.fixture
def profiles(ledger: Ledger, clock: FakeClock) -> Profiles:
    return Profiles(ledger, clock)


def test_who_saved_nothing_has_the_usual_preferences(profiles: Profiles) -> None:
    assert profiles.of("ada") == Profile()
    assert (Profile().usual_energy, Profile().usual_hours, Profile().favourite_domains) == (
        2,
        None,
        (),
    )


@pytest.mark.parametrize(
    "profile",
    [
        Profile(usual_energy=1, usual_hours=0.25),
        Profile(usual_energy=3, usual_hours=24, favourite_domains=("finance", "dev")),
        Profile(usual_hours=1.5, favourite_domains=DOMAINS),
    ],
)
def test_what_was_saved_comes_back_as_it_was(profiles: Profiles, profile: Profile) -> None:
    profiles.save("ada", profile)
    assert profiles.of("ada") == profile
    assert profiles.of("bob") == Profile()


def test_the_newest_row_counts_and_the_older_ones_stay(ledger: Ledger, profiles: Profiles) -> None:
    for energy in (1, 3, 2):
        profiles.save("ada", Profile(usual_energy=energy, usual_hours=energy))
    assert profiles.of("ada") == Profile(usual_energy=2, usual_hours=2)
    assert [row["usual_energy"] for row in rows(ledger, "profiles")] == [1, 3, 2]


def test_saving_the_same_again_writes_nothing(ledger: Ledger, profiles: Profiles) -> None:
    profiles.save("ada", Profile())
    assert rows(ledger, "profiles") == []
    for _ in range(3):
        profiles.save("ada", Profile(usual_energy=3))
    assert len(rows(ledger, "profiles")) == 1
    profiles.save("ada", Profile())
    assert profiles.of("ada") == Profile()
    assert len(rows(ledger, "profiles")) == 2


def test_people_do_not_mix_whatever_their_names(profiles: Profiles) -> None:
    names = ["ada", "Ada", "ada b", "o'hara", "%", "José", "日本", "x; DROP TABLE profiles"]
    for number, name in enumerate(names):
        profiles.save(name, Profile(usual_energy=3, usual_hours=number + 1))
    assert [profiles.of(name).usual_hours for name in names] == list(range(1, len(names) + 1))


@pytest.mark.parametrize(
    "fields",
    [
        {"usual_energy": 0},
        {"usual_energy": 4},
        {"usual_hours": 0.2},
        {"usual_hours": 25},
        {"usual_hours": float("nan")},
        {"usual_hours": float("inf")},
        {"favourite_domains": ("cooking",)},
        {"favourite": "dev"},
    ],
)
def test_a_profile_outside_its_ranges_cannot_be_made(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Profile.model_validate(fields)


def test_saves_from_many_threads_end_with_one_of_them(ledger: Ledger, profiles: Profiles) -> None:
    barrier = threading.Barrier(8)

    def save(energy: int) -> None:
        barrier.wait()
        profiles.save("ada", Profile(usual_energy=energy, usual_hours=energy))

    threads = [threading.Thread(target=save, args=(1 + n % 3,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    newest = rows(ledger, "profiles")[-1]
    found = profiles.of("ada")
    assert (found.usual_energy, found.usual_hours) == (
        newest["usual_energy"],
        newest["usual_hours"],
    )


def test_everybody_who_asked_or_saved_is_known_the_latest_first(
    runtime: Runtime, clock: FakeClock
) -> None:
    runtime.gate.limits = UNLIMITED
    assert runtime.profiles.known() == []
    for name in ("ada", "bob", "cleo"):
        asked(runtime, to_recommend("fix the login bug", user_id=name))
        clock.advance(minutes=1)
    runtime.profiles.save("dan", Profile(usual_energy=1))
    clock.advance(minutes=1)
    asked(runtime, to_recommend("fix the login bug", user_id="ada"))
    assert runtime.profiles.known() == ["ada", "dan", "cleo", "bob"]


def test_preferences_survive_a_restart(
    runtime: Runtime, settings: Settings, clock: FakeClock, embedder: Embedder
) -> None:
    profile = Profile(usual_energy=1, usual_hours=0.5, favourite_domains=("health",))
    runtime.profiles.save("ada", profile)
    runtime.drain()
    clock.set(clock.now() + timedelta(days=400))
    again = Runtime(settings, clock=clock, embedder=embedder)
    assert again.profiles.of("ada") == profile
    again.drain()
