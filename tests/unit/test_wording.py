"""The task's own words in an outline's wording: what they are, and how they are put in."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.catalogue import CodeContext, Task, task_from
from core.errors import InvalidInput
from core.execute.wording import Slots, fill, slots_of

WORDINGS = (
    "Reproduce {object}",
    "For “{task}”, look at {topic} and at your {topic}.",
    "Write it down[ {detail}][, in time: {deadline}][ ({amount})].[ You noted: “{note}”]",
    "[Red: {failing}.] Open it[: {files}][ on {branch}].",
)
# Half of the titles are made of words that the code looks for, so that all its ways are walked.
WORDS = """a the my your you i im can't should can do how to what why is if and or of for with by
at in up off not be get go learn stop make let put save lose write fix plan pay friday tomorrow due
next every 5 5km $500 10% [x] {y} {{z}} “q” ( ) , ; . – & / İ ı uſ ſunday fix: feat(x): #12 - 🎉
é ß"""


def task(title: str, **more: object) -> Task:
    return task_from(title=title, **more)


def slots(title: str, **more: object) -> Slots:
    return slots_of(task(title, **more))


def accepted(title: str) -> Task | None:
    try:
        return task_from(title=title)
    except InvalidInput:
        return None


tasks = (
    st.one_of(
        st.text(min_size=1, max_size=200),
        st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=12).map(" ".join),
    )
    .map(accepted)
    .filter(lambda made: made is not None)
)


@given(tasks)
@example(task("!!!"))
@example(task("( a"))
@example(task(", ; a"))
@example(task("ı uſ İ"))
@example(task("paint ſunday"))
@example(task("the"))
@example(task("“”"))
@example(task("by friday"))
@example(task("x" * 200))
def test_any_task_has_a_task_an_object_and_a_topic(made: Task) -> None:
    found = slots_of(made)
    assert found.task.strip()
    assert found.object.strip()
    assert found.topic.strip()
    for wording in WORDINGS:
        assert fill(wording, found)


@given(tasks)
def test_no_slot_is_too_long_for_its_place(made: Task) -> None:
    found = slots_of(made)
    assert len(found.task) <= 92
    assert len(found.object) <= 92
    assert len(found.topic) <= 92


@given(tasks)
def test_the_same_task_always_gives_the_same_slots(made: Task) -> None:
    assert slots_of(made) == slots_of(made.model_copy())


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("book our trip with my sister", "book your trip with your sister"),
        ("am I ready?", "are you ready"),
        ("things i'm grateful for", "things you’re grateful for"),
        ("calm down when im anxious", "calm down when you’re anxious"),
        ("Visit the US in spring", "visit the US in spring"),
        ("calculus I final", "calculus I final"),
        ("me time", "me time"),
        ("read I/O docs", "read I/O docs"),
        ("a friend of mine", "a friend of yours"),
        ("Mine bitcoin", "mine bitcoin"),
    ],
)
def test_the_task_speaks_to_its_person(title: str, said: str) -> None:
    assert slots(title).task == said


@pytest.mark.parametrize(
    ("title", "deadline", "about"),
    [
        ("pay the bill by friday", "by Friday", "the bill"),
        ("math homework due tues", "by Tuesday", "math homework"),
        ("haircut sat 10am", "on Saturday 10am", "the haircut"),
        ("theory test in 2 weeks", "in 2 weeks", "the theory test"),
        ("open mic next friday, two songs", "next Friday", "open mic, two songs"),
        ("new roof by december 2026", "by December 2026", "the new roof"),
        ("log today's spending", "", "today's spending"),
        ("plan sunday livestream", "", "Sunday livestream"),
        ("put 50 aside every friday", "", "putting 50 aside every Friday"),
        ("cardio tues + fri", "", "cardio tues + fri"),
    ],
)
def test_a_date_at_the_end_is_a_deadline(title: str, deadline: str, about: str) -> None:
    found = slots(title)
    assert (found.deadline, found.object) == (deadline, about)


@pytest.mark.parametrize(
    ("title", "amount"),
    [
        ("save $5,000 for a roof", "$5,000"),
        ("run 5 km", "5 km"),
        ("30 min yoga", "30 min"),
        ("work out four times a week", "four times"),
        ("increase 401k contribution", ""),
        ("404 page", ""),
        ("chapter 7", ""),
    ],
)
def test_an_amount_has_a_unit(title: str, amount: str) -> None:
    assert slots(title).amount == amount


def test_the_note_is_the_first_sentence_of_the_description_on_one_line() -> None:
    found = slots("x", description="It broke\ton my\vphone. Then more.".replace("\v", " "))
    assert found.note == "It broke on your phone"
    assert slots("x", description="one\ntwo").note == "one"
    assert slots("x", description="word " * 100).note.endswith(" …")


def test_the_code_context_fills_its_slots() -> None:
    context = CodeContext(
        tests_failing=1, recent_files=("a.py", "b.py", "c.py", "d.py"), current_branch="fix/x"
    )
    found = slots("fix it", code_context=context)
    assert (found.failing, found.files, found.branch) == (
        "1 failing test",
        "a.py, b.py, c.py",
        "fix/x",
    )
    assert slots("fix it", code_context=CodeContext(tests_failing=0)).failing == ""


SLOTS = Slots(task="buy a laptop", object="a laptop", topic="laptop", article="the")


@pytest.mark.parametrize(
    ("wording", "filled"),
    [
        ("Price {object}", "Price a laptop"),
        ("{object} and {topic}", "A laptop and the laptop"),
        ("Done. {topic} is there", "Done. The laptop is there"),
        (
            "Your {topic}, your first {topic}, “{topic}”",
            "Your laptop, your first laptop, “laptop”",
        ),
        ("Look[ {detail}], then buy.", "Look, then buy."),
        ("Look [{detail}] now [by {deadline}].", "Look now."),
        ("Spend[ at most {amount}]!", "Spend!"),
    ],
)
def test_the_words_are_put_in_where_the_slots_stand(wording: str, filled: str) -> None:
    assert fill(wording, SLOTS) == filled


def test_a_bracket_stays_when_its_slot_is_filled() -> None:
    found = slots("buy a laptop by friday")
    assert fill("Buy it[, {deadline}].", found) == "Buy it, by Friday."


def test_the_object_gives_way_where_the_preposition_would_come_twice() -> None:
    found = slots("dinner for six friends")
    assert fill("Count the guests for {object}", found) == "Count the guests for dinner"
    assert fill("Cook {object}", found) == "Cook dinner for six friends"


def test_a_question_stands_only_where_it_can() -> None:
    found = slots("why does my bread not rise")
    asked = slots("should i buy a bread machine")
    assert fill("Read up on {object}", asked) == "Read up on whether to buy a bread machine"
    assert fill("Publish {object}", asked) == "Publish the bread machine"
    assert found.object.startswith("“")


def test_a_title_too_long_takes_the_topic_for_object_and_task() -> None:
    found = slots("repair the old garden gate behind the shed before the party")
    assert (
        fill("Look after {object} with care", found, 45)
        == "Look after the old garden gate with care"
    )
    assert fill("Put “{task}” on one page", found, 45) == "Put “old garden gate” on one page"


BRACES = ["{task}", "{{object}}", "[{detail}]", "[x]", "}{", "][", "\\1", "%s", "{0.__class__}"]


@pytest.mark.parametrize("typed", BRACES)
def test_what_was_typed_is_never_read_as_a_slot(typed: str) -> None:
    title = f"Sort the {typed} list"
    found = slots(title)
    assert typed in found.object
    assert fill("For “{task}”, see {object}.[ {note}]", found) == (
        f"For “sort the {typed} list”, see the {typed} list."
    )


@given(tasks)
def test_the_signs_of_a_short_title_stay_as_typed(made: Task) -> None:
    filled = fill("“{task}”", slots_of(made))
    if len(made.title) > 90 or made.title.isupper():
        return
    # What is left out stands at an end: a prefix, a lead-in, the last full stop. Letters may
    # change with the person, signs do not.
    signs = "".join(sign for sign in filled[1:-1] if unicodedata.category(sign)[0] in "PS")
    assert signs.replace("’", "").replace("'", "") in "".join(
        sign for sign in made.title if unicodedata.category(sign)[0] in "PS"
    ).replace("’", "").replace("'", "")
