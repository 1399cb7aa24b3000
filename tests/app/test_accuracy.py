"""An operator asks whether recommendations are right, and whether their match can be trusted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.ledger import FeedbackGiven
from core.runtime import Runtime
from pages.shared.evaluation import MOST_TASKS
from tests.answering import AT, DAY, NOW, answer, fitted, many, ran, said
from tests.app.browser import Browser
from tests.asking import asked, to_recommend
from tests.fakes import FakeClock


def metrics(browser: Browser) -> dict[str, tuple[str, str]]:
    return {each.label: (each.value, each.delta) for each in browser.app.metric}


@pytest.fixture
def judged(console: Runtime, clock: FakeClock) -> Runtime:
    """Forty answers at 90 %, 34 of them taken; and one miss with another ranker, of last month."""
    old = AT - 40 * DAY
    console.ledger.write(
        *many(40, 34, 0.9),
        *answer("missed", old, 0.95, ("meal-planning", "bug-fix"), version="0"),
        FeedbackGiven(
            ts=old + timedelta(seconds=5),
            feedback_id="f",
            user_id="ada",
            request_id="missed",
            kind="dismissed",
        ),
    )
    clock.set(NOW)
    return console


def test_an_empty_ledger_says_what_will_be_here_and_what_to_do(browser: Browser) -> None:
    browser.open("accuracy")
    assert "appears here as people use or dismiss them. Nothing was recommended yet." in (
        browser.said
    )
    assert "0 of 0 answers judged · UTC · as of 09:00:00" in browser.said
    assert len(browser.app.get("page_link")) == 1
    assert "Evaluate a file" in browser.said
    assert list(browser.app.metric) == []


def test_answers_that_nobody_judged_have_coverage_and_no_share(
    browser: Browser, console: Runtime
) -> None:
    asked(console, to_recommend("fix the login bug"))
    browser.open("accuracy")
    assert "Nobody has used or dismissed one of these recommendations yet" in browser.said
    told = metrics(browser)
    assert told["First one taken · ≥ 90 %"] == ("–", "")
    assert told["Something fits · ≥ 80 %"] == ("100 %", "21-100 %")
    assert browser.app.get("plotly_chart") == []


@pytest.mark.usefixtures("judged")
def test_the_first_sentence_tells_whether_a_match_of_90_is_right_nine_times_in_ten() -> None:
    browser = Browser().open("accuracy")
    assert (
        "**A 90 % match may be right nine times in ten, but more answers have to tell**: of 40 "
        "judged answers that said 85 to 95 %, 90 % on average, people took the first suggestion "
        "in 85 % (71-93 % at 95 %)." in browser.said
    )
    browser.choose("period", "all").choose("domain", "health").draw()
    assert "there is too little to tell**: 0 answers that said 85 to 95 %" in browser.said


@pytest.mark.usefixtures("judged")
def test_each_figure_carries_its_interval() -> None:
    browser = Browser().open("accuracy")
    assert "40 of 40 answers judged · UTC · as of 12:00:00" in browser.said
    told = metrics(browser)
    assert told["First one taken · ≥ 90 %"] == ("85 %", "71-93 %")
    assert told["Calibration error · ≤ 0.05"][0] == "0.050"
    assert told["Something fits · ≥ 80 %"] == ("100 %", "91-100 %")
    assert told["Chosen again · < 5 %"] == ("0 %", "0.0-8.8 %")
    assert told["Time to choose · < 30 s"] == ("10 s", "10 s to 10 s")
    assert len(browser.app.get("plotly_chart")) == 4


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({}, "40 of 40 answers"),
        ({"period": "all"}, "41 of 41 answers"),
        ({"period": "90 d", "domain": "dev"}, "40 of 40 answers"),
        ({"period": "90 d", "domain": "health"}, "1 of 1 answer "),
        ({"period": "90 d", "ranker": "local 0"}, "1 of 1 answer "),
        ({"period": "7 d", "ranker": "local 0"}, "0 of 0 answers"),
        ({"period": "a year", "domain": "law", "ranker": "gut"}, "40 of 40 answers"),
    ],
)
def test_filters_come_from_the_address(query: dict[str, str], told: str) -> None:
    assert told in Browser().open("accuracy", **query).said


@pytest.mark.usefixtures("judged")
def test_filters_that_let_nothing_through_say_so() -> None:
    browser = Browser().open("accuracy", domain="finance")
    assert "No recommendation matches these filters." in browser.said
    assert list(browser.app.dataframe) == []


@pytest.mark.usefixtures("judged")
def test_misses_and_rankers_are_listed() -> None:
    browser = Browser().open("accuracy", period="all")
    misses, rankers = (frame.value for frame in browser.app.dataframe)
    assert len(misses) == 7
    assert misses.iloc[0][["task_title", "top_workflow_id", "choice"]].tolist() == [
        "task of missed",
        "meal-planning",
        "none of them",
    ]
    assert misses["top_confidence"].round().tolist() == [95] + [90] * 6
    assert rankers["ranker"].tolist() == ["local 1", "local 0"]
    assert rankers["interval"].tolist() == ["71-93 %", "0-79 %"]
    assert len(browser.app.get("download_button")) == 6  # of the four pictures too


def test_the_curve_in_force_is_told_with_its_reason(judged: Runtime) -> None:
    browser = Browser().open("accuracy")
    assert "**The shipped curve is in force for local 1**" in browser.said
    judged.ledger.write(fitted("rejected", 2, adopted=False))
    browser.draw()
    assert "**The shipped curve is in force for local 1**" in browser.said
    assert "The newest one fitted on feedback was not taken. Fitted 2 Nov 2026, 12:00" in (
        browser.said
    )
    judged.ledger.write(
        fitted("adopted", 1, adopted=True), *many(4, 3, 0.6, curve="adopted", raw=0.9)
    )
    browser.draw()
    assert "**A curve fitted on feedback is in force for local 1**" in browser.said
    assert (
        "Fitted yesterday 12:00 on 200 judged answers; on the 80 answers after them, log loss "
        "went from 0.520 to 0.500. It turns 90 % into 84 % and 50 % into 48 %. Better."
        in browser.said
    )
    assert (
        "On the newest 4 judged answers that a fitted curve corrected, the calibration error is"
        in browser.said
    )


def test_what_a_ledger_holds_is_shown_as_text(console: Runtime, clock: FakeClock) -> None:
    hostile = "![x](http://127.0.0.1:9/x.png) <img src=x>"
    console.ledger.write(
        *answer("a", listed=(hostile, "bug-fix"), version=hostile),
        ran("a", hostile),
        *answer("b", listed=("bug-fix", hostile), version=hostile),
        said("b", "chosen", hostile),
    )
    clock.set(NOW)
    browser = Browser().open("accuracy", period="all")
    assert "2 of 2 answers judged" in browser.said
    assert "in force for local ![x](http://127.0.0.1:9/x.png) <img src=x>" in browser.said
    assert [each for each in browser.markdown if "![x](" in each or "<img src=x>" in each] == []


# --- a file


def evaluated(browser: Browser, content: str | bytes) -> Browser:
    raw = content if isinstance(content, bytes) else content.encode()
    browser.app.file_uploader(key="labelled").upload("tasks.jsonl", raw)
    return browser.draw()


GOOD = (
    '\ufeff{"title": "fix the login bug", "accept": ["bug-fix"]}\n\n'
    '{"title": "plan my week", "accept": ["daily-planning", "no-such-workflow"]}\n'
    '{"title": "save for a laptop", "accept": ["music-practice"]}\n'
)


def test_a_file_is_evaluated_and_nothing_of_it_is_kept(browser: Browser, console: Runtime) -> None:
    evaluated(browser.open("accuracy"), GOOD)
    told = metrics(browser)
    assert told["First one right"] == ("67 %", "21-94 %")
    assert told["One of three right"][0] == "67 %"
    assert told["Nothing fits, told apart"][0] == "–"
    assert "Accepted, but not loaded: no-such-workflow." in browser.said
    assert "**1 task whose first one is not right**" in browser.said
    (misses,) = (frame.value for frame in browser.app.dataframe)
    assert misses[["title", "first", "accept"]].to_dict("records") == [
        {"title": "save for a laptop", "first": "savings-goal", "accept": "music-practice"}
    ]
    assert len(browser.app.get("plotly_chart")) == 1
    assert console.ledger.table("SELECT * FROM requests").num_rows == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            '{"title": "fix it", "accept": []}\n{"title": "plan", "accept": "daily-planning"}\n',
            "tasks.jsonl, line 2: not an object with a title and a list `accept`.",
        ),
        ('{"title": ""}\n', "tasks.jsonl, line 1: "),
        ("", "tasks.jsonl holds no rows."),
        (b'{"title": "a"}\n{"title": "\xff"}\n', "tasks.jsonl, line 2: not UTF-8 text."),
        (
            '{"title": "fix it"}\n' * (MOST_TASKS + 1),
            "tasks.jsonl holds 5,001 tasks; this page takes up to 5,000, "
            "“waywarden evaluate” any number.",
        ),
    ],
    ids=["a bad line", "an empty task", "empty", "not UTF-8", "too many"],
)
def test_a_file_that_cannot_be_used_gets_one_sentence(
    browser: Browser, content: str | bytes, sentence: str
) -> None:
    evaluated(browser.open("accuracy"), content)
    assert len(browser.app.error) == 1
    assert sentence in browser.said
    assert list(browser.app.metric) == []
