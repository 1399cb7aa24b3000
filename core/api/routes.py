"""The routes: each one call of core."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Annotated, Any, Protocol

from fastapi import FastAPI, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BeforeValidator

from core.api import schemas as s
from core.api.answers import execution_out, recommend_out, rules_out, workflow_out
from core.api.auth import Door
from core.api.document import Documented
from core.api.feedback import Said, record
from core.api.pool import Pool
from core.api.problems import HANDLERS, denied, documented, problem, request_id_of
from core.catalogue import Catalogue, Domain
from core.clock import Clock
from core.errors import WaywardenError
from core.execute import Executor, StepChange
from core.guard import Denied, Gate, profile_name
from core.guard import Request as Asked
from core.ledger import Backup
from core.recommend import Feedback, Recommender

__all__ = ["Services", "build"]

LONGEST_WAIT_S = 30.0
# A question may wait for a model, and must not keep others from a thread.
WORKERS, QUESTIONS_AT_ONCE = 16, 64
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]
Id = Annotated[str, Path(max_length=64)]
Wait = Annotated[float, Query(ge=0, le=LONGEST_WAIT_S, allow_inf_nan=False)]


class Services(Protocol):
    """What the routes call; the runtime is one."""

    clock: Clock
    catalogue: Catalogue
    gate: Gate
    recommender: Recommender
    executor: Executor
    feedback: Feedback

    def backup(self) -> Backup:
        """Copy the ledger into the deployment's folder of backups."""
        ...

    def ready(self) -> str | None:
        """Return why the process cannot work yet, or None when it can."""
        ...


def build(services: Callable[[], Services], token: Callable[[], str | None]) -> Door:
    """Return the whole API as one ASGI application, health checks and document included.

    Args:
        services: returns the services, opened on first use.
        token: returns the deployment's bearer token, or None when there is none.
    """
    app = Documented(
        title="Waywarden",
        version="1",
        description="Recommend a workflow for a task, and run it into steps.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        exception_handlers=HANDLERS,  # type: ignore[arg-type]  # handlers take the base classes
        responses=documented(413, 431, 500),
    )
    pool, questions = Pool(WORKERS), Pool(QUESTIONS_AT_ONCE)
    _catalogue_routes(app, services, pool)
    _recommend_route(app, services, questions)
    _execute_route(app, services, pool)
    _run_routes(app, services, pool)
    _person_routes(app, services, pool)
    _backup_route(app, services, pool)
    _health_routes(app, services, pool)
    return Door(app, token)


# What a call can be told beside its answer: whoever calls, and whoever sends a body.
_GUARDED = (401, 403, 503)
_POSTED = (*_GUARDED, 400, 415, 422)


def _catalogue_routes(app: FastAPI, services: Callable[[], Services], pool: Pool) -> None:
    @app.get("/api/v1/workflows", responses=documented(*_GUARDED, 422))
    async def workflows(
        domain: Annotated[list[Domain] | None, BeforeValidator(_filled), Query()] = None,
        tag: Annotated[list[str] | None, BeforeValidator(_filled), Query()] = None,
        q: Annotated[str, Query(max_length=200)] = "",
    ) -> s.WorkflowsOut:
        """Workflows of any of the domains, with all of the tags and all of the words."""
        found = await pool.run(lambda: services().catalogue.find(domain or (), tag or (), q))
        return s.WorkflowsOut(workflows=[workflow_out(each) for each in found])

    @app.get("/api/v1/workflows/{workflow_id}", responses=documented(*_GUARDED, 404, 422))
    async def workflow(workflow_id: Id) -> s.WorkflowOut:
        """One workflow."""
        return workflow_out(await pool.run(lambda: services().catalogue.get(workflow_id)))


def _recommend_route(app: FastAPI, services: Callable[[], Services], pool: Pool) -> None:
    @app.post(
        "/api/v1/workflows/recommend",
        response_model=s.RecommendOut,
        responses=documented(*_POSTED, 409, 429),
    )
    async def recommend(body: s.RecommendIn, request: Request, key: Key = None) -> Any:
        """Up to three workflows for a task, best first."""

        def act() -> Any:
            asked = Asked(
                "recommend", body.user_id, body.task(), "api", key, marked=body.sensitive
            )
            return services().recommender.recommend(asked)

        answer = await pool.run(act)
        if isinstance(answer, Denied):
            return denied(request_id_of(request), answer, services().clock.now())
        return recommend_out(answer)


def _execute_route(app: FastAPI, services: Callable[[], Services], pool: Pool) -> None:
    planning = {"model": s.ExecutionOut, "description": "Still planning; see Location."}

    @app.post(
        "/api/v1/workflows/execute",
        response_model=s.ExecutionOut,
        responses={202: planning, **documented(*_POSTED, 404, 409, 429)},
    )
    async def execute(
        body: s.ExecuteIn,
        request: Request,
        key: Key = None,
        wait: Wait = LONGEST_WAIT_S,
    ) -> Any:
        """Run a workflow for a task; `wait` is how many seconds the steps are waited for."""
        started = await pool.run(lambda: services().executor.start(_asked(body, key)))
        if isinstance(started, Denied):
            return denied(request_id_of(request), started, services().clock.now())
        await _planned(services().executor, started, wait)
        return await _shown(services, pool, started)


async def _shown(services: Callable[[], Services], pool: Pool, execution_id: str) -> Response:
    execution = await pool.run(lambda: services().executor.execution(execution_id))
    planning = execution.status == "planning"
    return JSONResponse(
        execution_out(execution).model_dump(mode="json"),
        202 if planning else 200,
        {"Location": f"/api/v1/executions/{execution_id}"} if planning else None,
    )


async def _planned(executor: Executor, execution_id: str, wait_s: float) -> None:
    """Wait until planning ended, without holding a thread."""
    loop, planned = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        with contextlib.suppress(RuntimeError):  # the server stopped meanwhile
            loop.call_soon_threadsafe(planned.set)

    executor.when_planned(execution_id, tell)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(planned.wait(), wait_s)


def _run_routes(app: FastAPI, services: Callable[[], Services], pool: Pool) -> None:
    known = documented(*_GUARDED, 404, 422)

    @app.get("/api/v1/executions/{execution_id}", responses=known)
    async def execution(execution_id: Id) -> s.ExecutionOut:
        """A run as it is now; while it is planned, with the steps that are complete."""
        found = await pool.run(lambda: services().executor.execution(execution_id))
        return execution_out(found)

    @app.delete("/api/v1/executions/{execution_id}", responses=known)
    async def cancel(execution_id: Id) -> s.ExecutionOut:
        """Stop the planning of a run; nothing happens to one that is planned."""

        def act() -> s.ExecutionOut:
            services().executor.cancel(execution_id)
            services().executor.wait(execution_id, 1.0)
            return execution_out(services().executor.execution(execution_id))

        return await pool.run(act)

    @app.patch(
        "/api/v1/executions/{execution_id}/steps/{number}", responses=documented(*_POSTED, 404)
    )
    async def change_step(
        execution_id: Id, number: Annotated[int, Path(ge=1, le=10)], body: s.StepIn
    ) -> s.ExecutionOut:
        """Say what happened to a step; steps count from 1."""

        def act() -> s.ExecutionOut:
            executor = services().executor
            owner = executor.execution(execution_id).user_id
            executor.change_step(execution_id, owner, StepChange(number, **body.model_dump()))
            return execution_out(executor.execution(execution_id))

        return await pool.run(act)


def _person_routes(app: FastAPI, services: Callable[[], Services], pool: Pool) -> None:
    @app.post("/api/v1/feedback", responses=documented(*_POSTED, 404))
    async def feedback(body: Said) -> Said:
        """Say whether a run was useful, that nothing recommended fits, or what was taken."""
        await pool.run(lambda: record(body, services().executor, services().feedback))
        return body

    @app.get("/api/v1/usage", responses=documented(*_GUARDED, 422))
    async def usage(user_id: Annotated[s.UserId, Query()] = "local") -> s.UsageOut:
        """How much of every rule a person has used."""
        gate = services().gate
        name = profile_name(user_id)
        return s.UsageOut(
            user_id=name,
            execute=rules_out(gate.usage(name, "execute")),
            recommend=rules_out(gate.usage(name, "recommend")),
        )


def _backup_route(app: FastAPI, services: Callable[[], Services], pool: Pool) -> None:
    @app.post("/api/v1/backup", responses=documented(*_POSTED))
    async def backup(body: s.BackupIn) -> s.BackupOut:
        """Copy the ledger, while it is in use, into `backups/` of the data folder."""
        del body  # there only to be JSON, which no website can send
        made = await pool.run(lambda: services().backup())
        return s.BackupOut(file=made.path.name, size_bytes=made.size_bytes, rows=dict(made.rows))


def _health_routes(app: FastAPI, services: Callable[[], Services], pool: Pool) -> None:
    @app.get("/healthz")
    async def healthz() -> s.Health:
        """Whether the process lives."""
        return s.Health(status="ok")

    @app.get("/readyz", response_model=s.Health, responses=documented(503))
    async def readyz(request: Request) -> Any:
        """Whether it can work: the ledger is open, the recommender is loaded."""
        try:
            why_not = await pool.run(lambda: services().ready())
        except WaywardenError as why:
            why_not = type(why).__name__
        if why_not:
            detail = why_not if why_not.endswith(".") else f"It cannot work now: {why_not}."
            return problem(request_id_of(request), 503, "not-ready", detail)
        return s.Health(status="ok")


def _filled(values: object) -> object:
    """Take `?tag=` for no tag at all."""
    return [value for value in values if value] if isinstance(values, list) else values


def _asked(body: s.ExecuteIn, key: str | None) -> Asked:
    return Asked(
        "execute",
        body.user_id,
        body.task(),
        "api",
        key,
        workflow_id=body.workflow_id,
        recommendation_id=body.recommendation_id,
        chosen_rank=body.chosen_rank,
        marked=body.sensitive,
    )
