"""Workflow files: the shipped ones load, and each fault is told with its file, key and line."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from core.catalogue import DOMAINS, Catalogue, Fault, Workflow
from core.errors import UnknownWorkflow
from core.settings import PROJECT

IDS = {
    "dev": {"backend-api-feature", "frontend-component", "bug-fix", "code-refactor"},
    "personal": {"daily-planning", "habit-tracking", "goal-setting", "home-errands"},
    "health": {"workout-routine", "meal-planning", "sleep-optimization", "self-care"},
    "finance": {"budget-creation", "expense-tracking", "savings-goal", "bills-taxes"},
    "learning": {"course-completion", "skill-practice", "research-topic", "exam-prep"},
    "creative": {"writing-session", "design-project", "music-practice", "content-creation"},
}
SHIPPED = Catalogue.load([PROJECT / "workflows"]).workflows

PLAIN = """\
name = "Water the plants"
description = "Keeps them alive."
expected_step_count = 3
system_prompt = "You are a patient gardener who loves plants."
user_prompt_template = "Plan this task: {task_title}, in {expected_step_count} steps."
"""
STEP = """
[[outline]]
title = "Look at {object}"
description = "Look at it."
minutes = 5
icon = "🌱"
purpose = "you know"
produces = "A look"
"""
WITH_OUTLINE = PLAIN + STEP * 3

each_shipped = pytest.mark.parametrize("workflow", SHIPPED, ids=lambda flow: flow.workflow_id)


class Folder:
    """A folder of workflow files; `write` adds one and `load` reads them all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()

    def write(self, text: str | bytes, file: str = "personal/plants.toml") -> None:
        path = self.path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def load(self) -> Catalogue:
        return Catalogue.load([self.path])

    def faults(self, text: str | bytes, file: str = "personal/plants.toml") -> list[Fault]:
        self.write(text, file)
        return list(self.load().faults)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "mine")


def told(faults: list[Fault]) -> list[tuple[str | None, int | None, str]]:
    return [(fault.key, fault.line, fault.message) for fault in faults]


def line_of(text: str, start: str, nth: int = 1) -> int:
    """Return the line of the n-th line that begins with `start`."""
    numbers = [n for n, line in enumerate(text.split("\n"), 1) if line.startswith(start)]
    return numbers[nth - 1]


def test_every_shipped_file_loads_without_a_fault(catalogue: Catalogue) -> None:
    assert catalogue.faults == ()
    assert len(catalogue.workflows) == 24


def test_each_domain_has_its_four_workflows(catalogue: Catalogue) -> None:
    assert set(IDS) == set(DOMAINS)
    found = {domain: set[str]() for domain in DOMAINS}
    for workflow in catalogue.workflows:
        found[workflow.domain].add(workflow.workflow_id)
    assert found == IDS


@each_shipped
def test_a_shipped_workflow_keeps_to_the_guide(workflow: Workflow) -> None:
    assert len(workflow.outline) == workflow.expected_step_count
    assert len({example.lower() for example in workflow.examples}) >= 15
    assert len(workflow.examples) == len(set(workflow.examples))
    titles = [
        title
        for step in workflow.outline
        for title in (step.title, *(variant.title for variant in step.variants))
        if title is not None
    ]
    with_slot = [title for title in titles if "{" in title]
    assert len(with_slot) >= len(titles) / 2
    assert max(map(len, titles)) <= 60
    assert [title for title, count in Counter(titles).items() if count > 1] == []
    assert sum(bool(step.variants) for step in workflow.outline) >= len(workflow.outline) / 2


@each_shipped
def test_a_shipped_prompt_uses_the_task_and_the_step_count(workflow: Workflow) -> None:
    assert "{expected_step_count}" in workflow.system_prompt
    for variable in ("task_title", "task_description", "user_energy_label", "time_of_day"):
        assert f"{{{variable}}}" in workflow.user_prompt_template


@each_shipped
def test_the_longest_forms_of_a_shipped_step_take_no_longer_than_it(workflow: Workflow) -> None:
    for step in workflow.outline:
        assert 1 <= step.floor_minutes <= step.minutes
        assert all((variant.minutes or 1) <= 120 for variant in step.variants)


def test_the_id_is_the_stem_and_the_domain_the_folder(folder: Folder) -> None:
    folder.write(PLAIN, "health/water-plants.toml")
    [workflow] = folder.load().workflows
    assert (workflow.workflow_id, workflow.domain) == ("water-plants", "health")


def test_what_the_file_says_of_id_and_domain_wins(folder: Folder) -> None:
    folder.write('workflow_id = "plants"\ndomain = "creative"\n' + PLAIN, "x/y.toml")
    [workflow] = folder.load().workflows
    assert (workflow.workflow_id, workflow.domain) == ("plants", "creative")


def test_a_prompt_is_text_or_a_table_with_content(folder: Folder) -> None:
    table = PLAIN.replace('system_prompt = "', '[system_prompt]\ncontent = "')
    first, rest = table.split("[system_prompt]\n")
    content, template = rest.split("\n", 1)
    folder.write(f"{first}{template}[system_prompt]\n{content}\n", "personal/one.toml")
    folder.write(PLAIN, "personal/two.toml")
    one, two = folder.load().workflows
    assert one.system_prompt == two.system_prompt


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(folder: Folder) -> None:
    folder.write(b"\xef\xbb\xbf" + PLAIN.replace("\n", "\r\n").encode())
    assert folder.load().workflows


def test_a_long_line_of_a_prompt_may_hold_many_full_stops(folder: Folder) -> None:
    sentences = "One. Two. Three. Four. Five. Six. Seven. Eight. Nine. Ten. Eleven."
    prompt = f'''system_prompt = """
{sentences}
"""
'''
    folder.write("\n".join(line for line in PLAIN.split("\n") if "system" not in line) + prompt)
    catalogue = folder.load()
    assert catalogue.faults == ()
    assert catalogue.workflows[0].system_prompt == sentences


def test_a_syntax_error_is_told_with_its_line(folder: Folder) -> None:
    [fault] = folder.faults(PLAIN + 'tags = ["green"\nversion = "1"\n')
    assert fault.file == "mine/personal/plants.toml"
    assert fault.line == 7
    assert fault.message.startswith("is not valid TOML")
    assert str(fault).startswith("mine/personal/plants.toml:7: is not valid TOML")


@pytest.mark.parametrize(
    ("text", "key", "start", "message"),
    [
        (PLAIN + 'colour = "green"\n', "colour", "colour", "unknown key"),
        (
            PLAIN.replace("{task_title}", "{task}"),
            "user_prompt_template",
            "user_prompt_template",
            "unknown variable “{task}”",
        ),
        (
            PLAIN.replace("{task_title}", "{task_title"),
            "user_prompt_template",
            "user_prompt_template",
            "a single “{”: write “{{” for a brace",
        ),
        (
            PLAIN.replace("step_count = 3", 'step_count = "three"'),
            "expected_step_count",
            "expected_step_count",
            "input should be a valid integer, unable to parse string as an integer",
        ),
        (
            PLAIN.replace("step_count = 3", "step_count = 11"),
            "expected_step_count",
            "expected_step_count",
            "input should be less than or equal to 10",
        ),
        (PLAIN + 'tags = "green"\n', "tags", "tags", "should be a list"),
        (PLAIN + "examples = [1]\n", "examples[1]", "examples", "input should be a valid string"),
        (
            PLAIN + 'author = "a\\u202eb"\n',
            "author",
            "author",
            "contains characters that cannot be shown; remove them",
        ),
        (
            PLAIN + "[[outline]]\n",
            "outline[1].title",
            "[[outline]]",
            "is missing",
        ),
    ],
)
def test_a_fault_is_told_with_its_key_and_line(
    folder: Folder, text: str, key: str, start: str, message: str
) -> None:
    first = folder.faults(text)[0]
    assert told([first]) == [(key, line_of(text, start), message)]


def test_a_missing_key_is_told_by_its_name(folder: Folder) -> None:
    text = PLAIN.replace('name = "Water the plants"\n', "")
    assert told(folder.faults(text)) == [("name", None, "is missing")]


def test_a_dotted_key_and_a_table_are_found_by_their_line(folder: Folder) -> None:
    text = PLAIN.replace("user_prompt_template =", "user_prompt_template.content =").replace(
        "{task_title}", "{nope}"
    )
    assert told(folder.faults(text)) == [("user_prompt_template", 5, "unknown variable “{nope}”")]


def test_all_faults_of_a_file_are_told_at_once(folder: Folder) -> None:
    text = PLAIN.replace("{task_title}", "{nope}") + 'colour = "green"\nversion = 1\n'
    assert told(folder.faults(text)) == [
        ("version", 7, "input should be a valid string"),
        ("user_prompt_template", 5, "unknown variable “{nope}”"),
        ("colour", 6, "unknown key"),
    ]


def test_a_fault_deep_in_an_outline_is_told_as_people_count(folder: Folder) -> None:
    variants = (
        '[[outline.variants]]\nwhen = ["rose"]\ntitle = "Smell {object}"\n'
        '[[outline.variants]]\nwhen = ["cactus"]\ntitle = "Mind {nope}"\nminutes = 0\n'
    )
    text = PLAIN + STEP * 3 + variants
    assert told(folder.faults(text)) == [
        (
            "outline[3].variants[2].title",
            line_of(text, 'title = "Mind'),
            "unknown slot “{nope}”",
        ),
        (
            "outline[3].variants[2].minutes",
            line_of(text, "minutes = 0"),
            "input should be greater than or equal to 1",
        ),
    ]


@pytest.mark.parametrize(
    ("wording", "message"),
    [
        ("{detail} of it", "“{detail}” may be empty, so it stands inside square brackets"),
        ("Look[ closely]", "“[ closely]” must hold exactly one slot that may be empty"),
        ("Look [{detail}{amount}]", "must hold exactly one slot that may be empty"),
        ("Look at {object", "a bracket or brace without its partner"),
        ("Look] at it", "a bracket or brace without its partner"),
        ("[{amount}]", "all of it stands in square brackets, so nothing may be left"),
    ],
)
def test_a_wording_that_cannot_be_filled_is_a_fault(
    folder: Folder, wording: str, message: str
) -> None:
    text = PLAIN + STEP.replace("Look at {object}", wording) + STEP * 2
    [fault] = folder.faults(text)
    assert (fault.key, fault.line) == ("outline[1].title", line_of(text, "title"))
    assert message in fault.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PLAIN + STEP * 4, "has 4 steps, expected_step_count says 3"),
        (
            WITH_OUTLINE.replace("minutes = 5\n", 'minutes = 5\ndrop_when = ["short_time"]\n', 1),
            "at least three steps of an outline are never dropped",
        ),
        (
            PLAIN + (STEP + '[[outline.variants]]\nwhen = ["x"]\nskip = true\n') * 2 + STEP,
            "at least two steps of an outline are never skipped",
        ),
    ],
)
def test_an_outline_that_does_not_fit_is_a_fault_of_the_outline(
    folder: Folder, text: str, message: str
) -> None:
    assert told(folder.faults(text)) == [("outline", line_of(text, "[[outline]]"), message)]


def test_a_command_is_taken_as_it_stands(folder: Folder) -> None:
    command = "for f in *.{py,toml}; do [ -s $f ] && wc -l $f; done"
    folder.write(PLAIN + STEP * 2 + STEP + f'validation_command = "{command}"\n')
    assert folder.load().workflows[0].outline[2].validation_command == command


def test_a_second_file_with_the_same_id_is_left_out(folder: Folder) -> None:
    folder.write(PLAIN, "dev/plants.toml")
    again = 'domain = "health"\nworkflow_id = "plants"\n' + PLAIN
    [fault] = folder.faults(again, "health/again.toml")
    assert fault == Fault(
        "mine/health/again.toml",
        "workflow_id",
        2,
        "“plants” is already the id of mine/dev/plants.toml",
    )
    assert folder.load().get("plants").domain == "dev"


def test_a_file_that_is_not_utf8_is_told_with_its_line(folder: Folder) -> None:
    [fault] = folder.faults(PLAIN.encode() + b'author = "Caf\xe9"\n')
    assert (fault.line, fault.message) == (6, "is not UTF-8 text")


def test_a_file_of_more_than_64_kb_is_refused(folder: Folder) -> None:
    longest = PLAIN.encode() + b"#" * (64 * 1024 - len(PLAIN.encode()))
    assert folder.faults(longest) == []
    assert [fault.message for fault in folder.faults(longest + b"#")] == ["is larger than 64 kB"]


@pytest.mark.parametrize(
    "bomb",
    [
        "a" + ".a" * 20_000 + " = 1\n",
        '"a"' + '."a"' * 10_000 + " = 1\n",
        "[a" + " . a" * 10_000 + "]\n",
        "x = {a" + ".a" * 20_000 + " = 1}\n",
        "x = " + "[" * 40_000,
        "x = " + "{a=" * 10_000,
        "x = " + "9" * 40_000 + "\n",
        "[[outline]]\n" * 5_000,
        "\n" * 60_000,
    ],
    ids=["dotted", "quoted", "table", "inline", "lists", "tables", "number", "steps", "empty"],
)
def test_a_hostile_file_is_answered_in_well_under_a_second(folder: Folder, bomb: str) -> None:
    folder.write(PLAIN, "personal/good.toml")
    folder.write(bomb)
    began = time.process_time()
    catalogue = folder.load()
    assert time.process_time() - began < 0.9
    assert [workflow.workflow_id for workflow in catalogue.workflows] == ["good"]
    assert 1 <= len(catalogue.faults) <= 101


def test_a_key_of_ten_dotted_parts_is_refused_with_its_line(folder: Folder) -> None:
    [fault] = folder.faults(PLAIN + "a.b.c.d.e.f.g.h.i.j = 1\n")
    assert (fault.line, fault.message) == (6, "has a key of ten or more dotted parts")


def test_a_missing_folder_is_a_fault_and_hides_nothing(folder: Folder, tmp_path: Path) -> None:
    folder.write(PLAIN)
    catalogue = Catalogue.load([tmp_path / "gone", folder.path])
    assert [str(fault) for fault in catalogue.faults] == [
        f"{tmp_path / 'gone'}: this folder does not exist"
    ]
    assert len(catalogue.workflows) == 1


def test_what_cannot_be_opened_is_told(folder: Folder) -> None:
    (folder.path / "personal" / "folder.toml").mkdir(parents=True)
    (folder.path / "personal" / "gone.toml").symlink_to("nowhere.toml")
    faults = folder.load().faults
    assert [fault.message for fault in faults] == [
        "cannot be read: Is a directory",
        "cannot be read: No such file or directory",
    ]


def test_bad_files_never_hide_good_ones(folder: Folder) -> None:
    bad: list[str | bytes] = ["", "x", b"\xff\xfe", PLAIN + "x = ", "name = 1979-05-27\n", "[]"]
    for number, text in enumerate(bad):
        folder.write(text, f"personal/bad-{number}.toml")
        folder.write(PLAIN, f"personal/good-{number}.toml")
    catalogue = folder.load()
    assert len(catalogue.workflows) == len(bad)
    assert {fault.file for fault in catalogue.faults} == {
        f"mine/personal/bad-{number}.toml" for number in range(len(bad))
    }


def test_every_fault_is_logged(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    faults = folder.faults(PLAIN + 'colour = "green"\nshape = "round"\n')
    assert caplog.messages == [f"Workflow file left out: {fault}" for fault in faults]


def test_an_extra_folder_adds_to_the_shipped_ones(folder: Folder) -> None:
    folder.write(PLAIN)
    catalogue = Catalogue.load([PROJECT / "workflows", folder.path])
    assert len(catalogue.workflows) == 25
    assert catalogue.get("plants").name == "Water the plants"


def test_an_extra_folder_cannot_replace_a_shipped_workflow(folder: Folder) -> None:
    folder.write(PLAIN, "dev/bug-fix.toml")
    catalogue = Catalogue.load([PROJECT / "workflows", folder.path])
    assert catalogue.get("bug-fix").name == "Bug fix"
    assert [fault.file for fault in catalogue.faults] == ["mine/dev/bug-fix.toml"]


def test_an_unknown_id_is_an_error_that_names_it(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownWorkflow, match="“world-peace”"):
        catalogue.get("world-peace")


def test_workflows_are_found_by_domain_tag_and_word(catalogue: Catalogue) -> None:
    assert {flow.workflow_id for flow in catalogue.find(domains=["dev"])} == IDS["dev"]
    assert len(catalogue.find(domains=["dev", "health"])) == 8
    assert [flow.workflow_id for flow in catalogue.find(tags=["bug", "crash"])] == ["bug-fix"]
    assert catalogue.find(tags=["bug", "knitting"]) == []
    found = {flow.workflow_id for flow in catalogue.find(query="Taxes!")}
    assert "bills-taxes" in found
    assert "bug-fix" not in found
    assert catalogue.find(domains=["health"], query="taxes") == []
    assert len(catalogue.find()) == len(catalogue.find(query="the")) == 24


def test_the_fingerprint_changes_with_any_workflow(folder: Folder) -> None:
    folder.write(PLAIN)
    before = folder.load().fingerprint
    assert folder.load().fingerprint == before
    folder.write(PLAIN.replace("alive", "happy"))
    assert folder.load().fingerprint != before
