"""A task is checked on the way in, and each refusal says what would be right."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import CodeContext, Task, task_from
from core.errors import InvalidInput

UNSHOWN = "contains characters that cannot be shown; remove them."
EMPTY = "The task is empty: say in a few words what you want to get done."


def refusal(**fields: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        task_from(**{"title": "fix the login bug", **fields})
    return refused.value


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("title", "", EMPTY),
        ("title", " \t\n ", EMPTY),
        ("title", None, "The task must be text."),
        ("title", 5, "The task must be text."),
        ("title", b"fix", "The task must be text."),
        ("title", ["fix"], "The task must be text."),
        ("title", "a" * 201, "The task must have at most 200 characters."),
        ("title", "a\x00b", f"The task {UNSHOWN}"),
        ("title", "a\x1bb", f"The task {UNSHOWN}"),
        ("title", "a\x9fb", f"The task {UNSHOWN}"),
        ("title", "a\u202eb", f"The task {UNSHOWN}"),
        ("title", "a\u2066b", f"The task {UNSHOWN}"),
        ("title", "a\u200bb", f"The task {UNSHOWN}"),
        ("title", "\ufeffa", f"The task {UNSHOWN}"),
        ("title", "a\ud800b", f"The task {UNSHOWN}"),
        ("description", 3, "The description must be text."),
        ("description", "a" * 4_001, "The description must have at most 4000 characters."),
        ("description", "ring\x07", f"The description {UNSHOWN}"),
        ("description", "a\udfffb", f"The description {UNSHOWN}"),
        ("priority", "urgent", "The priority must be 'low', 'medium' or 'high'."),
        ("priority", None, "The priority must be 'low', 'medium' or 'high'."),
        ("energy", 0, "The energy must be at least 1."),
        ("energy", 4, "The energy must be at most 3."),
        ("energy", 10**400, "The energy must be at most 3."),
        ("energy", 2.5, "The energy must be a whole number."),
        ("energy", "2", "The energy must be a whole number."),
        ("energy", True, "The energy must be a whole number."),
        ("energy", None, "The energy must be a whole number."),
        (
            "time_of_day",
            "noon",
            "The time of day must be 'morning', 'afternoon' or 'evening'.",
        ),
        ("hours", 0.24, "The hours must be at least 0.25."),
        ("hours", 0, "The hours must be at least 0.25."),
        ("hours", 24.5, "The hours must be at most 24."),
        ("hours", math.nan, "The hours must be a number."),
        ("hours", math.inf, "The hours must be a number."),
        ("hours", -math.inf, "The hours must be a number."),
        ("hours", "2", "The hours must be a number."),
        ("hours", True, "The hours must be a number."),
        ("hours", 10**400, "The hours must be a number."),
        ("recent_tasks", "read a book", "The recent tasks must be a list."),
        ("recent_tasks", None, "The recent tasks must be a list."),
        ("recent_tasks", ["a"] * 21, "The recent tasks must have at most 20 entries."),
        ("recent_tasks", [3], "Entry 1 of the recent tasks must be text."),
        (
            "recent_tasks",
            ["read", "a" * 201],
            "Entry 2 of the recent tasks must have at most 200 characters.",
        ),
        ("recent_tasks", ["read\u202e"], f"Entry 1 of the recent tasks {UNSHOWN}"),
        ("code_context", "main", "The code context must be a group of fields."),
        (
            "code_context",
            {"tests_failing": -1},
            "“tests_failing” of the code context must be at least 0.",
        ),
        (
            "code_context",
            {"tests_passing": 10**9},
            "“tests_passing” of the code context must be at most 10000000.",
        ),
        (
            "code_context",
            {"tests_failing": "many"},
            "“tests_failing” of the code context must be a whole number.",
        ),
        (
            "code_context",
            {"tests_failing": True},
            "“tests_failing” of the code context must be a whole number.",
        ),
        (
            "code_context",
            {"recent_files": ["a.py"] * 51},
            "“recent_files” of the code context must have at most 50 entries.",
        ),
        (
            "code_context",
            {"recent_files": ["a.py", "b\x00.py"]},
            f"Entry 2 of “recent_files” of the code context {UNSHOWN}",
        ),
        (
            "code_context",
            {"current_branch": "b" * 201},
            "“current_branch” of the code context must have at most 200 characters.",
        ),
        ("code_context", {"branch": "x"}, "“branch” of the code context is not a field."),
        ("colour", "red", "“colour” is not a field."),
    ],
)
def test_a_bad_value_is_refused_by_its_field_with_what_is_right(
    field: str, value: object, sentence: str
) -> None:
    refused = refusal(**{field: value})
    assert refused.field == field
    assert str(refused) == sentence


def test_a_task_without_a_title_says_that_it_must_be_given() -> None:
    with pytest.raises(InvalidInput) as refused:
        task_from()
    assert (refused.value.field, str(refused.value)) == ("title", "The task must be given.")


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*Task.model_fields, "more"]), anything))
def test_nothing_but_a_refusal_comes_of_any_fields(fields: dict[str, object]) -> None:
    try:
        task_from(**fields)
    except InvalidInput as problem:
        refused = problem
    else:
        return
    assert str(refused).endswith(".")
    assert refused.field in {*Task.model_fields, "more"}


@given(st.text(max_size=220))
def test_a_title_is_one_line_of_what_was_typed(title: str) -> None:
    try:
        task = task_from(title=title)
    except InvalidInput:
        return
    assert task.title == " ".join(title.split())
    assert 1 <= len(task.title) <= 200


@pytest.mark.parametrize(
    "title",
    [
        "🎂 bake a cake",
        "👩‍👩‍👧‍👦 family day",
        "Café à la crème",
        "日本語を勉強する",
        "مراجعة الميزانية",
        "Ω≈ç√",
    ],
)
def test_emoji_and_every_script_are_welcome(title: str) -> None:
    assert task_from(title=title).title == title


def test_space_is_tidied_and_the_lines_of_a_description_stay() -> None:
    task = task_from(title="  plan \t my\n week ", description="\r\n first\r\nsecond \r third\n\n")
    assert task.title == "plan my week"
    assert task.description == "first\nsecond \n third"


def test_hours_may_be_a_whole_number_and_the_limits_belong_to_the_range() -> None:
    assert [task_from(title="x", hours=hours).hours for hours in (0.25, 1, 24)] == [0.25, 1, 24]


def test_a_code_context_is_taken_as_fields_or_as_itself() -> None:
    fields = {"tests_failing": 2, "recent_files": ["a.py"], "current_branch": " fix/login "}
    context = task_from(title="x", code_context=fields).code_context
    assert context == CodeContext(
        tests_failing=2, recent_files=("a.py",), current_branch="fix/login"
    )
    assert task_from(title="x", code_context=context).code_context == context
