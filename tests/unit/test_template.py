"""Prompt templates: like `str.format` where there is no fault, and never anything more."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.catalogue import render, task_from
from core.catalogue.template import VARIABLES, faults_in

NAMES = sorted(VARIABLES)
texts = st.text(max_size=20)
values = st.fixed_dictionaries(dict.fromkeys(NAMES, texts))
# Pieces that meet at every kind of edge: `{{` after a variable, a variable after `}}`, and so on.
pieces = st.one_of(
    st.sampled_from(["{{", "}}", "{{}}", "}}{{", "{{{{", *(f"{{{name}}}" for name in NAMES)]),
    st.text(st.characters(exclude_characters="{}"), max_size=5),
)
faultless = st.lists(pieces, max_size=12).map("".join)


@given(faultless, values)
def test_a_template_without_faults_renders_as_format_does(
    template: str, filled: dict[str, str]
) -> None:
    # Two pieces may meet so that a brace is left over, such as `{{` + `{x}` + `}}`.
    assume(not faults_in(template))
    assert render(template, filled) == template.format(**filled)


@given(st.text(alphabet="{}ab_ ", max_size=12), values)
def test_whatever_format_refuses_or_reads_otherwise_is_a_fault(
    template: str, filled: dict[str, str]
) -> None:
    try:
        formatted = template.format(**filled)
    except (ValueError, KeyError, IndexError):
        assert faults_in(template)
    else:
        assert faults_in(template) or render(template, filled) == formatted


@given(st.text(max_size=60))
def test_no_text_makes_the_check_or_an_unfaulty_render_raise(template: str) -> None:
    if not faults_in(template):
        render(template, dict.fromkeys(NAMES, "x"))


@given(texts)
def test_a_value_is_put_in_once_and_never_read_again(value: str) -> None:
    rendered = render("{task_title}|{user_energy}", {"task_title": value, "user_energy": "2"})
    assert rendered == f"{value}|2"


@pytest.mark.parametrize(
    "hostile",
    [
        "{task_description}",
        "{{task_title}}",
        "{0.__class__.__mro__}",
        "{task_title.__init__.__globals__}",
        "{:>1000000000}",
        "}{",
        "\\g<1> \\1 $1 %s",
    ],
)
def test_a_hostile_value_stays_as_it_was_typed(hostile: str) -> None:
    rendered = render("Task: {task_title}.", {"task_title": hostile})
    assert rendered == f"Task: {hostile}."


@pytest.mark.parametrize(
    ("template", "faults"),
    [
        ("{task}", ["unknown variable “{task}”"]),
        ("{}", ["unknown variable “{}”"]),
        ("{task_title!r}", ["unknown variable “{task_title!r}”"]),
        ("{task_title:>9}", ["unknown variable “{task_title:>9}”"]),
        ("{task_title.__class__}", ["unknown variable “{task_title.__class__}”"]),
        ("{ task_title }", ["unknown variable “{ task_title }”"]),
        ("a { b", ["a single “{”: write “{{” for a brace"]),
        ("a } b", ["a single “}”: write “}}” for a brace"]),
        ("{task_title}}", ["a single “}”: write “}}” for a brace"]),
        ("{nope} and {", ["unknown variable “{nope}”", "a single “{”: write “{{” for a brace"]),
        ("{{task_title}} {task_title} {{{task_title}}}", []),
    ],
)
def test_every_fault_of_a_template_is_named(template: str, faults: list[str]) -> None:
    assert faults_in(template) == faults


def test_a_variable_without_a_value_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(KeyError):
        render("{task_title}", {})


def test_a_task_gives_every_variable_a_value() -> None:
    given_values = task_from(title="fix the login bug").template_values(5)
    assert given_values.keys() == VARIABLES
    everything = " ".join(f"{{{name}}}" for name in NAMES)
    assert not re.search(r"[{}]", render(everything, given_values))
    assert all(given_values.values())
