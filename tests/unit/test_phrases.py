"""What a task is about: its grammar, read from a short English text."""

from __future__ import annotations

import pytest

from core.catalogue import task_from
from core.execute.wording import Slots, slots_of


def slots(title: str) -> Slots:
    return slots_of(task_from(title=title))


@pytest.mark.parametrize(
    ("title", "about", "topic"),
    [
        (
            "fix the 500 error when saving my profile",
            "the 500 error when saving your profile",
            "500 error",
        ),
        ("mow the lawn", "the lawn", "lawn"),
        ("Bucket list: see the northern lights", "the northern lights", "northern lights"),
        (
            "Find something to do with leftover rice",
            "something to do with leftover rice",
            "leftover rice",
        ),
        ("cap on clothes shopping", "cap on clothes shopping", "clothes shopping"),
        ("remind me to thaw the salmon", "the salmon", "salmon"),
        ("I really want to visit Japan", "Japan", "Japan"),
        (
            "feat(ui): skeleton loader for the feed",
            "the skeleton loader for the feed",
            "skeleton loader",
        ),
        ("- [ ] clean garage", "the garage", "garage"),
        ("✨ add dark mode", "dark mode", "dark mode"),
        (
            "[Bug]: plugin page blank after update",
            "plugin page blank after update",
            "plugin page blank",
        ),
        ("cut down on takeout", "takeout", "takeout"),
        ("pick & upload pics from the festival", "pics from the festival", "pics"),
        ("sign up and train for the half marathon", "the half marathon", "half marathon"),
        ("get mum a birthday present", "a birthday present", "birthday present"),
        ("get the car washed", "the car", "car"),
        ("quit my job and go freelance", "your job", "job"),
        ("help my kid with fractions homework", "fractions homework", "fractions homework"),
        ("get better at chess endgames", "chess endgames", "chess endgames"),
        ("write show notes", "show notes", "show notes"),
        ("script for the school play", "the script for the school play", "script"),
        ("script a 60 sec explainer", "a 60 sec explainer", "60 sec explainer"),
        ("20 pages of that book on stoicism", "20 pages of that book on stoicism", "book"),
        (
            "milk, bin bags and lightbulbs",
            "milk, bin bags and lightbulbs",
            "milk, bin bags and lightbulbs",
        ),
        ("TAX RETURN FOR 2024", "the tax return for 2024", "tax return"),
        ("dentist", "the dentist", "dentist"),
        ("taxes", "taxes", "taxes"),
        ("mix the drums down", "the drums", "drums"),
        ("new landing page hero", "the new landing page hero", "new landing page hero"),
    ],
)
def test_the_object_is_what_the_task_is_about(title: str, about: str, topic: str) -> None:
    found = slots(title)
    assert (found.object, found.topic) == (about, topic)


@pytest.mark.parametrize(
    ("title", "about"),
    [
        ("learn to juggle", "juggling"),
        ('Break "learn to sail" into steps', "sailing"),
        ("i wake at 3am", "waking at 3am"),
        ("wake up at 6", "waking up at 6"),
        ("lose 5 kg", "losing 5 kg"),
        ("go to bed before 11", "going to bed before 11"),
        ("be kinder to myself", "being kinder to yourself"),
        ("stop biting my nails", "biting your nails"),
        ("i feel overwhelmed", "feeling overwhelmed"),
        ("cant fall asleep", "falling asleep"),
        ("migrate from webpack to vite", "migrating from webpack to vite"),
        ("let people resize the split pane", "resizing the split pane"),
        ("plan tomorrow", "planning tomorrow"),
        ("work out four times a week", "working out four times a week"),
    ],
)
def test_a_verb_stays_where_what_follows_says_too_little(title: str, about: str) -> None:
    assert slots(title).object == about


@pytest.mark.parametrize(
    ("title", "about", "topic"),
    [
        ("what should i cook with eggs?", "what to cook with eggs", "eggs"),
        ("should we get a second dog", "whether to get a second dog", "second dog"),
        ("do I need a visa for Vietnam", "whether you need a visa for Vietnam", "visa"),
        (
            "am i free friday afternoon",
            "whether you are free Friday afternoon",
            "Friday afternoon",
        ),
        ("how does compound interest work?", "how compound interest works", "compound interest"),
        ("how do heat pumps work", "how heat pumps work", "heat pumps"),
        (
            "what kind of dog suits a small flat",
            "what kind of dog suits a small flat",
            "dog",
        ),
        ("where is my passport", "your passport", "passport"),
        ("how do i start a newsletter", "a newsletter", "newsletter"),
        ("why is the dashboard so slow", "“why is the dashboard so slow”", "dashboard"),
        ("is creatine safe long term?", "“is creatine safe long term”", "creatine"),
        (
            "see how much i have left after the weekend",
            "how much you have left after the weekend",
            "weekend",
        ),
        ("check how much we spent on coffee", "how much you spent on coffee", "coffee"),
        ("find out why the cron job stopped", "why the cron job stopped", "cron job"),
    ],
)
def test_a_question_becomes_what_is_asked(title: str, about: str, topic: str) -> None:
    found = slots(title)
    assert (found.object, found.topic) == (about, topic)


@pytest.mark.parametrize(
    ("title", "topic"),
    [
        ("login button does nothing on safari", "login button"),
        ("CSV export drops the last row", "CSV export"),
        ("saved drafts disappear", "saved drafts"),
        ("app crashes when opening a pdf", "app crashes"),
        ("users cant reset password", "password"),
    ],
)
def test_a_whole_sentence_is_quoted_and_its_subject_is_the_topic(title: str, topic: str) -> None:
    found = slots(title)
    assert found.object == f"“{title}”"
    assert found.topic == topic
