"""Every query reads, runs on an empty and on a seeded ledger, and names its columns."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from core.ledger import (
    CurveFitted,
    Event,
    ExecutionPlanned,
    FeedbackGiven,
    KeyChanged,
    KeySealed,
    Ledger,
    LlmCall,
    LlmCallBegun,
    ProfileSaved,
    RecommendationMade,
    RequestDecided,
    RequestSettled,
    SettingsSaved,
    StepChanged,
)

CORE = Path(__file__).resolve().parents[2] / "core"
AT = datetime(2026, 11, 2, 12, tzinfo=UTC)
BEFORE, AFTER = AT - timedelta(hours=1), AT + timedelta(hours=1)

Parameters = Mapping[str, object]

# How each file is called: its path under core without `sql/`, and parameters that find something
# in the seeded ledger. A new file needs a line here; what its caller passes is checked below.
CALLS: Mapping[str, tuple[Parameters, ...]] = {
    "analytics/accuracy_answers": ({"starts": [BEFORE, AT], "ends": [AT, AFTER]},),
    "analytics/accuracy_cascade": (
        {
            "start": BEFORE,
            "end": AFTER,
            "thresholds": [0.5, 0.9],
            "rankers": ["local 1"],
            "workflow_ids": ["bug-fix"],
        },
    ),
    "analytics/accuracy_curves": ({},),
    "analytics/accuracy_judged": ({"start": BEFORE, "end": AFTER, "most_corrected": 1},),
    "analytics/accuracy_rankers": ({},),
    "analytics/accuracy_tasks": ({"request_ids": ["asked"]},),
    "analytics/activity": (
        dict.fromkeys(("kind", "status", "user_id", "query", "start")) | {"most": 9, "skip": 0},
        {
            "kind": "execute",
            "status": "succeeded",
            "user_id": "ada",
            "query": "LOGIN",
            "start": BEFORE,
            "most": 1,
            "skip": 0,
        },
    ),
    "analytics/day_counts": ({"starts": [BEFORE, AT], "ends": [AT, AFTER]},),
    "analytics/domain_counts": ({"start": BEFORE, "end": AFTER},),
    "analytics/domains_run": ({},),
    "analytics/hour_counts": ({"start": BEFORE, "end": AFTER},),
    "analytics/model_calls": ({"request_ids": ["asked", "other"]},),
    "analytics/provider_calls": ({"start": BEFORE, "end": AFTER},),
    "analytics/request_choices": ({"request_id": "asked"},),
    "analytics/request_executions": ({"request_id": "run"},),
    "analytics/request_feedback": ({"request_id": "run"},),
    "analytics/request_llm_calls": ({"request_id": "asked"},),
    "analytics/request_recommendations": ({"request_id": "asked"},),
    "analytics/request_requests": ({"request_id": "asked"},),
    "analytics/request_settlements": ({"request_id": "asked"},),
    "analytics/request_step_events": ({"request_id": "run"},),
    "execute/execution": ({"execution_id": "run"},),
    "execute/executions": ({"user_id": "ada", "most": 1},),
    "execute/request": ({"execution_id": "run"},),
    "execute/sensitive": ({"request_id": "sensitive"},),
    "execute/step_events": ({"execution_ids": ["run", "other"]},),
    "guard/admitted_since": ({"since": BEFORE},),
    "guard/denied_since": ({"since": BEFORE},),
    "guard/unsettled": ({},),
    "llm/cut_off": ({},),
    "llm/key_in_force": ({"user_id": "ada", "provider": "anthropic"},),
    "llm/keys_of": ({"user_id": "ada"},),
    "llm/sealed_keys": ({},),
    "recommend/choices": ({"since": BEFORE, "most": 9},),
    "recommend/curve_in_force": ({"ranker": "local", "ranker_version": "1"},),
    "recommend/judgements": ({"since": BEFORE},),
    "recommend/judged": ({"ranker": "local", "ranker_version": "1", "most": 9},),
    "recommend/preferences": ({},),
    "recommend/models": ({"since": BEFORE},),
    "recommend/known_people": ({},),
    "recommend/profile": ({"user_id": "ada"},),
    "recommend/reaction": ({"request_id": "asked"},),
    "recommend/recommendation": ({"request_id": "asked", "user_id": "ada"},),
    "settings/history": ({"section": "ladder", "most": 9},),
    "settings/newest": ({},),
    "settings/version": ({"version_id": "v1"},),
}


def name_of(file: Path) -> str:
    return f"{file.parent.parent.relative_to(CORE)}/{file.stem}"


FILES = {name_of(file): file for file in sorted(CORE.rglob("sql/*.sql"))}


def request(request_id: str, kind: str, decision: str, **more: object) -> RequestDecided:
    return RequestDecided.model_validate(
        {
            "ts": AT,
            "request_id": request_id,
            "kind": kind,
            "user_id": "ada",
            "source": "console",
            "decision": decision,
            "fingerprint": request_id,
            "task_title": "Fix the login bug",
            "task_priority": "medium",
            "user_energy": 2,
            **more,
        }
    )


CALL = LlmCall(
    ts=AT,
    call_id="c1",
    request_id="asked",
    user_id="ada",
    purpose="rank",
    attempt=1,
    rung=1,
    gen_ai_provider_name="anthropic",
    gen_ai_request_model="claude-haiku-5-5",
    gen_ai_request_max_tokens=1_024,
    gen_ai_usage_input_tokens=1_500,
    gen_ai_usage_output_tokens=300,
    outcome="succeeded",
    cost_nano_usd=300_000,
    cost_source="genai-prices",
    cost_version="1",
    latency_ms=900.0,
)

SEED: tuple[Event, ...] = (
    request("asked", "recommend", "admitted"),
    request(
        "run",
        "execute",
        "admitted",
        recommendation_id="asked",
        workflow_id="bug-fix",
        chosen_rank=1,
    ),
    request("sensitive", "recommend", "admitted", sensitive="marked"),
    request("denied", "execute", "denied", denied_rule="user:execute:3/minute"),
    request("running", "execute", "admitted", idempotency_key="once"),
    RecommendationMade(
        ts=AT,
        request_id="asked",
        user_id="ada",
        ranker="local",
        ranker_version="1",
        nothing_fits=False,
        top_workflow_id="bug-fix",
        top_confidence=0.9,
        candidates=[],
        shown=[],
        latency_ms=1.5,
    ),
    RecommendationMade(
        ts=AT,
        request_id="asked a model",
        user_id="ada",
        ranker="model",
        ranker_version="model:claude-haiku-5-5:1",
        nothing_fits=False,
        top_workflow_id="bug-fix",
        top_confidence=0.9,
        candidates=[],
        shown=[],
        latency_ms=1.5,
    ),
    ExecutionPlanned(
        ts=AT,
        execution_id="run",
        user_id="ada",
        workflow_id="bug-fix",
        workflow_version="1",
        domain="dev",
        planner="local",
        planner_version="1",
        steps=[],
        step_count=0,
        planned_minutes=30,
        break_minutes=0,
        buffer_minutes=0,
    ),
    StepChanged(ts=AT, event_id="e1", execution_id="run", user_id="ada", step=1, event="started"),
    RequestSettled(
        ts=AT, request_id="asked", kind="recommend", user_id="ada", outcome="succeeded"
    ),
    RequestSettled(ts=AT, request_id="run", kind="execute", user_id="ada", outcome="succeeded"),
    FeedbackGiven(
        ts=AT,
        feedback_id="f1",
        user_id="ada",
        request_id="run",
        workflow_id="bug-fix",
        useful=True,
    ),
    CurveFitted(
        ts=AT,
        curve_id="fitted",
        ranker="local",
        ranker_version="1",
        slope=0.9,
        intercept=-0.1,
        fitted_on=200,
        tested_on=80,
        log_loss_before=0.5,
        log_loss_after=0.4,
        adopted=True,
        reason="Better.",
    ),
    ProfileSaved(ts=AT, user_id="ada", usual_hours=1.5, favourite_domains=["dev"]),
    KeySealed(
        ts=AT,
        key_id="key",
        user_id="ada",
        provider="anthropic",
        last_four="YcHd",
        actor="ada",
        master_id="master",
        sealed="sealed",
    ),
    KeyChanged(
        ts=AT,
        event_id="e2",
        key_id="key",
        user_id="ada",
        provider="anthropic",
        event="used",
        actor="ada",
    ),
    CALL,
    LlmCallBegun(**CALL.model_dump() | {"call_id": "never ended"}),
    SettingsSaved(
        ts=AT,
        version_id="v1",
        section="ladder",
        version=1,
        schema_version=1,
        value={"retries": 3},
        changes=[],
        actor="ada",
        reason="A flaky week.",
    ),
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path_factory.mktemp("empty") / "ledger.duckdb")
    yield ledger
    ledger.close()


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path_factory.mktemp("seeded") / "ledger.duckdb")
    ledger.write(*SEED)
    yield ledger
    ledger.close()


def calls(name: str) -> tuple[Parameters, ...]:
    assert name in CALLS, (
        f"core/{name.replace('/', '/sql/')}.sql has no line in CALLS: add the parameters that "
        "its caller passes, so that it is tried on an empty and on a seeded ledger."
    )
    return CALLS[name]


def answers(ledger: Ledger, name: str) -> list[pa.Table]:
    text = FILES[name].read_text(encoding="utf-8")
    return [ledger.table(text, parameters) for parameters in calls(name)]


@pytest.mark.parametrize("name", FILES)
def test_a_query_is_one_select(name: str) -> None:
    statements = duckdb.extract_statements(FILES[name].read_text(encoding="utf-8"))
    assert [statement.type for statement in statements] == [duckdb.StatementType.SELECT]


@pytest.mark.parametrize("name", FILES)
def test_a_query_finds_something_in_a_seeded_ledger(name: str, seeded: Ledger) -> None:
    assert all(answer.num_rows for answer in answers(seeded, name))


@pytest.mark.parametrize("name", FILES)
def test_a_query_gives_the_same_columns_from_an_empty_ledger(
    name: str, empty: Ledger, seeded: Ledger
) -> None:
    of_empty = {tuple(answer.schema) for answer in answers(empty, name)}
    of_seeded = {tuple(answer.schema) for answer in answers(seeded, name)}
    assert of_empty == of_seeded
    assert len(of_empty) == 1


@pytest.mark.parametrize("name", FILES)
def test_a_query_names_each_column_once(name: str, empty: Ledger) -> None:
    columns = answers(empty, name)[0].column_names
    assert columns
    assert [column for column in columns if not re.fullmatch(r"[a-z][a-z0-9_]*", column)] == []
    assert len(columns) == len(set(columns)), "two columns of one name: one of them is lost"


def test_every_line_of_calls_has_its_file() -> None:
    assert set(CALLS) - set(FILES) == set()


@dataclass(frozen=True)
class Caller:
    """A call of `rows` or `frame` in a file of core, with the pattern of the name it asks for."""

    place: str
    pattern: str
    parameters: frozenset[str]


def callers_in(file: Path) -> Iterator[Caller]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr not in {"rows", "frame"} or not node.args:
            continue
        place = f"{file.relative_to(CORE.parent)}:{node.lineno}"
        names = [keyword.arg for keyword in node.keywords]
        assert None not in names, f"{place}: name each parameter, so that it can be checked"
        yield Caller(
            place,
            f"{re.escape(str(file.parent.relative_to(CORE)))}/{asked(node.args[0])}",
            frozenset(name for name in names if name),
        )


def asked(argument: ast.expr) -> str:
    """A pattern of the query's name: a literal, or one with parts filled in."""
    if isinstance(argument, ast.Constant):
        return re.escape(str(argument.value))
    assert isinstance(argument, ast.JoinedStr), "a query is named where it is called"
    return "".join(
        re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+"
        for part in argument.values
    )


CALLERS = [
    caller
    for file in sorted(CORE.rglob("*.py"))
    if (file.parent / "sql").is_dir()
    for caller in callers_in(file)
]


@pytest.mark.parametrize("name", FILES)
def test_a_query_is_called_with_the_parameters_it_names(name: str) -> None:
    (statement,) = duckdb.extract_statements(FILES[name].read_text(encoding="utf-8"))
    passed = {caller.parameters for caller in CALLERS if re.fullmatch(caller.pattern, name)}
    assert passed == {frozenset(statement.named_parameters)}
    assert {frozenset(parameters) for parameters in calls(name)} == passed


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.place)
def test_a_caller_asks_for_a_query_that_exists(caller: Caller) -> None:
    assert any(re.fullmatch(caller.pattern, name) for name in FILES)
