"""The catalogue in a browser: filters, details, running from there, and faults of files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from core.catalogue import DOMAINS
from core.runtime import Runtime
from tests.app.browser import Browser
from tests.asking import rows

MENDED = """
name = "Tea making"
description = "Boil the water, warm the pot, let it draw."
domain = "personal"
expected_step_count = 4
system_prompt = "You plan how tea is made."
user_prompt_template = "Plan this: {task_title}"
"""
BROKEN: dict[str, str | bytes] = {
    "syntax.toml": 'workflow_id = "syntax"\nname = "unfinished\n',
    "unknown.toml": 'name = "A"\nnmae = "B"\n',
    "huge.toml": "# " + "x" * 70_000,
    "latin.toml": b'name = "caf\xe9"\n',
    "template.toml": (
        'name = "A"\ndescription = "d"\ndomain = "dev"\nexpected_step_count = 4\n'
        'system_prompt = "You plan what {nobody} knows."\n'
        'user_prompt_template = "Plan this: {task_title} {"\n'
    ),
}


def tiles(browser: Browser) -> list[str]:
    """The names of the workflows that are shown, without their icons."""
    lines = (line for line in browser.said.splitlines() if line.startswith("**"))
    return [line.strip("*").split(" ", 1)[1] for line in lines]


def details_of(browser: Browser, name: str) -> Browser:
    return browser.click("Details", tiles(browser).index(name))


def test_all_workflows_are_shown_by_domain(browser: Browser) -> None:
    browser.open("workflows")
    assert len(tiles(browser)) == 24
    headings = [line[4:] for line in browser.said.splitlines() if line.startswith("### ")]
    assert headings == [domain.capitalize() for domain in DOMAINS]
    assert "24 workflows" in browser.said


def test_domains_tags_and_words_narrow_what_is_shown(browser: Browser) -> None:
    browser.open("workflows").choose("domain", ["finance", "health"]).draw()
    assert len(tiles(browser)) == 8
    browser.choose("domain", ["finance"]).draw()
    assert tiles(browser) == [
        "Bills and taxes",
        "Budget creation",
        "Expense tracking",
        "Savings goal",
    ]
    browser.app.selectbox(key="tag").set_value("budget")
    assert tiles(browser.draw()) == ["Budget creation"]
    browser.type("q", "trips").draw()
    assert tiles(browser) == ["Budget creation"]
    browser.type("q", "trips to the moon base").draw()
    assert tiles(browser) == []
    assert "No workflow has all of these. Take a filter away." in browser.said


@pytest.mark.usefixtures("console")
def test_filters_come_from_the_address() -> None:
    assert tiles(Browser().open("workflows", q="jet lag")) == ["Sleep optimization"]
    tagged = Browser().open("workflows", tag="testing")
    assert "Bug fix" in tiles(tagged)
    assert "Meal planning" not in tiles(tagged)
    assert len(tiles(Browser().open("workflows", domain="dev"))) == 4


@pytest.mark.usefixtures("console")
@pytest.mark.parametrize("words", ["%", "'; DROP TABLE", "\\", "日本語", "x" * 500])
def test_hostile_words_break_nothing(words: str) -> None:
    browser = Browser().open("workflows", q=words)
    assert browser.app.text_input(key="q").value == words
    assert "24 workflows" in browser.said


def test_details_show_steps_prompts_and_examples(browser: Browser, console: Runtime) -> None:
    details_of(browser.open("workflows"), "Bug fix")
    workflow = console.catalogue.get("bug-fix")
    assert browser.address["workflow"] == "bug-fix"
    assert "## 🐛 Bug fix" in browser.said
    assert workflow.description in browser.said
    assert f"dev · bug-fix · version {workflow.version} · by {workflow.author}" in browser.said
    first = workflow.examples[0]
    system, user = (str(code.value) for code in browser.app.code)
    assert str(workflow.expected_step_count) in system
    assert f"Task: {first}" in user
    assert "{" not in system + user
    for example in workflow.examples[:12]:
        assert f"- {example}" in browser.said
    assert f"and {len(workflow.examples) - 12} more in its file" in browser.said
    browser.click("All workflows")
    assert "workflow" not in browser.address
    assert len(tiles(browser)) == 24


def test_details_are_those_for_the_task_at_hand(browser: Browser, console: Runtime) -> None:
    browser.open().ask("fix the “login” bug & more")
    details_of(browser.open("workflows"), "Code refactor")
    assert "Task: fix the “login” bug & more" in str(browser.app.code[1].value)
    assert rows(console.ledger, "requests")[-1]["kind"] == "recommend"


def test_what_was_recommended_comes_first(browser: Browser) -> None:
    browser.open().ask("fix the login bug")
    browser.open("workflows")
    assert "### For “fix the login bug”" in browser.said
    assert len(tiles(browser)) == 27
    assert tiles(browser)[0] == "Bug fix"


def use_for(browser: Browser, title: str) -> Browser:
    (field,) = (each for each in browser.app.text_input if each.label == "Your task")
    field.set_value(title)
    return browser.click("Use this workflow")


@pytest.mark.parametrize("title", ["fix the login bug", "Küche putzen ✨", "x" * 200])
def test_a_workflow_is_run_from_its_details(
    browser: Browser, console: Runtime, title: str
) -> None:
    details_of(browser.open("workflows"), "Home errands")
    use_for(browser, title)
    (row,) = rows(console.ledger, "requests")
    assert (row["kind"], row["task_title"], row["workflow_id"], row["recommendation_id"]) == (
        "execute",
        title,
        "home-errands",
        None,
    )
    assert browser.address["run"] == row["request_id"]
    assert browser.app.title[0].value == "Runs"
    assert len(browser.app.checkbox) >= 2


def test_running_without_a_task_is_answered_with_a_sentence(
    browser: Browser, console: Runtime
) -> None:
    details_of(browser.open("workflows"), "Bug fix")
    assert "The task is empty" in use_for(browser, "  ").said
    assert rows(console.ledger, "requests") == []


def test_a_denial_is_said_among_the_details(browser: Browser) -> None:
    for number in range(4):
        browser = Browser()
        details_of(browser.open("workflows"), "Bug fix")
        use_for(browser, f"task {number}")
    assert "3 of 3 runs used this minute." in browser.said


# --- files with faults


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, text in BROKEN.items():
        raw = text if isinstance(text, bytes) else text.encode()
        (folder / name).write_bytes(raw)
    return folder


def test_every_fault_is_listed_with_file_key_and_line(
    serve: Callable[..., Runtime], broken: Path
) -> None:
    console = serve(extra_workflows=broken)
    browser = Browser().open("workflows")
    (table,) = (frame.value for frame in browser.app.dataframe)
    listed = [
        tuple(None if pd.isna(value) else value for value in row)
        for row in table[["File", "Key", "Line", "Fault"]].itertuples(index=False)
    ]
    faults = console.catalogue.faults
    assert [(file, message) for file, _, _, message in listed] == [
        (fault.file, fault.message) for fault in faults
    ]
    found = {(file, key): line for file, key, line, _ in listed}
    assert found["mine/unknown.toml", "nmae"] == 2
    assert found["mine/template.toml", "system_prompt"] == 5
    assert found["mine/template.toml", "user_prompt_template"] == 6
    assert found["mine/latin.toml", None] == 1
    assert ("mine/syntax.toml", None) in found
    assert ("mine/huge.toml", None) in found
    assert ("mine/unknown.toml", "description") in found
    (heading,) = (each.label for each in browser.app.expander)
    assert heading == f"{len(faults)} faults in 5 workflow files: left out until mended"
    assert len(tiles(browser)) == 24


def test_a_mended_file_is_there_after_a_reload(
    serve: Callable[..., Runtime], broken: Path
) -> None:
    serve(extra_workflows=broken)
    browser = Browser().open("workflows")
    for name in BROKEN:
        (broken / name).unlink()
    (broken / "tea.toml").write_text(MENDED, encoding="utf-8")
    browser.click("Reload files")
    assert len(browser.app.dataframe) == 0
    assert "25 workflows" in browser.draw().said
    assert "Tea making" in tiles(browser)


def test_a_folder_that_is_not_there_is_a_fault(
    serve: Callable[..., Runtime], tmp_path: Path
) -> None:
    serve(extra_workflows=tmp_path / "nowhere")
    browser = Browser().open("workflows")
    (table,) = (frame.value for frame in browser.app.dataframe)
    assert list(table["Fault"]) == ["this folder does not exist"]
    assert list(table["File"]) == [str(tmp_path / "nowhere")]
