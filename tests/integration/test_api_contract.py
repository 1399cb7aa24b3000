"""Two thousand invented requests, each answered as the OpenAPI document says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette

from core import runtime as runtimes
from core.recommend import Embedder
from core.runtime import Runtime, routes
from core.settings import Settings
from tests.asking import PATIENCE_S, UNLIMITED, asked, to_execute, to_recommend
from tests.fakes import FakeClock

TOKEN = "correct-horse-battery-staple"  # noqa: S105 - opens nothing
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# How many requests of each kind are invented: those that fit the document, those that do not.
CASES = {
    "GET /api/v1/workflows": (250, 50),
    "GET /api/v1/workflows/{workflow_id}": (260, 30),
    "POST /api/v1/workflows/recommend": (260, 80),
    "POST /api/v1/workflows/execute": (120, 80),
    "GET /api/v1/executions/{execution_id}": (100, 40),
    "DELETE /api/v1/executions/{execution_id}": (80, 30),
    "PATCH /api/v1/executions/{execution_id}/steps/{number}": (100, 60),
    "POST /api/v1/feedback": (150, 80),
    "GET /api/v1/usage": (290, 40),
    "POST /api/v1/backup": (1, 10),
    "GET /healthz": (1, 0),
    "GET /readyz": (1, 0),
}
# Of the fitting ones, how many have to be answered with 200 or 202. Schemas cannot say it all,
# such as what makes a name; and Hypothesis takes some of its strings from our source.
LEAST_OK = 0.1


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Runtime]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("contract"),
        limits=UNLIMITED,
        api_token=SecretStr(TOKEN),
    )
    opened = Runtime(settings, clock=FakeClock(), embedder=embedder)
    opened.ranker()
    runtimes.use(opened)
    yield opened
    runtimes.use(None)
    opened.drain()


@pytest.fixture(scope="module")
def schema(runtime: Runtime) -> BaseSchema:
    runtimes.use(runtime)
    return schemathesis.openapi.from_asgi("/openapi.json", Starlette(routes=routes()))


@pytest.fixture(scope="module")
def known(runtime: Runtime) -> dict[str, str]:
    """What exists, by the name of the field that asks for it."""
    started = str(runtime.executor.start(to_execute()))
    assert runtime.executor.wait(started, PATIENCE_S)
    answer = asked(runtime, to_recommend("fix the login bug"))
    return {
        "execution_id": started,
        "recommendation_id": answer.request_id,
        "workflow_id": "bug-fix",
        "user_id": "ada",
    }


def test_the_cases_are_two_thousand_and_leave_no_operation_out(schema: BaseSchema) -> None:
    labels = {found.ok().label for found in schema.get_all_operations() if isinstance(found, Ok)}
    assert set(CASES) == labels
    assert sum(map(sum, CASES.values())) >= 2_000


def made_to_find(case: Any, known: dict[str, str]) -> None:
    """Put what exists in the place of what was invented, so that more than the door is tried."""
    paths = case.path_parameters or {}
    for container in (paths, case.body if isinstance(case.body, dict) else {}):
        container.update({name: value for name, value in known.items() if name in container})


def tried(
    schema: BaseSchema,
    label: str,
    mode: GenerationMode,
    cases: int,
    change: Callable[[Any, int], None],
) -> Counter[int]:
    """Send that many invented requests, check each answer, and count them by status."""
    method, path = label.split(" ")
    answers: Counter[int] = Counter()

    @examples(
        max_examples=cases,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        change(case, sum(answers.values()))
        answer = case.call(headers={"Authorization": f"Bearer {TOKEN}"})
        answers[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    send()
    return answers


@pytest.mark.parametrize("label", CASES)
def test_what_fits_the_document_is_answered_as_it_says(
    schema: BaseSchema, known: dict[str, str], label: str
) -> None:
    def change(case: Any, number: int) -> None:
        if number % 4:
            made_to_find(case, known)

    answers = tried(schema, label, GenerationMode.POSITIVE, CASES[label][0], change)
    assert answers.total() >= CASES[label][0]
    assert answers[200] + answers[202] >= LEAST_OK * answers.total(), answers


@pytest.mark.parametrize("label", [label for label, (_, unfit) in CASES.items() if unfit])
def test_what_does_not_fit_the_document_is_answered_as_it_says(
    schema: BaseSchema, label: str
) -> None:
    answers = tried(schema, label, GenerationMode.NEGATIVE, CASES[label][1], lambda *_: None)
    assert answers.total() >= CASES[label][1]
    refused = sum(count for status, count in answers.items() if 400 <= status < 500)
    assert refused > answers.total() / 2, answers
