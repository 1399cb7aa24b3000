"""Runs a chosen workflow into steps, and keeps what its person does with them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from core.catalogue import Catalogue, Task, Workflow
from core.clock import Clock, new_id, stopwatch_ms
from core.errors import InvalidInput, Unavailable, UnknownExecution
from core.execute.execution import Execution, Plan, Step, StepState
from core.execute.history import History
from core.execute.planner import PlanFor, Planner
from core.execute.progress import Progress
from core.execute.step_change import StepChange, changed, checked, is_so_already
from core.guard import Admission, Denied, Gate, Outcome, PrivacyRules, Request
from core.jobs import Cancelled, Job, Jobs
from core.ledger import Event, ExecutionPlanned, FeedbackGiven, Ledger

__all__ = ["Executor"]

log = logging.getLogger(__name__)

_CAN_START_AGAIN = {"lost", "cancelled", "failed"}


class Executor:
    """One admitted request becomes one plan, made in the job pool."""

    def __init__(  # noqa: PLR0913 - the wiring of one service, by name
        self,
        *,
        gate: Gate,
        privacy: PrivacyRules,
        ledger: Ledger,
        jobs: Jobs,
        planner: Planner,
        catalogue: Callable[[], Catalogue],
        history: History,
        clock: Clock,
    ) -> None:
        self._gate = gate
        self._privacy = privacy
        self._ledger = ledger
        self._jobs = jobs
        self._planner = planner
        self._catalogue = catalogue
        self._history = history
        self._clock = clock
        self._progress = Progress()
        self._changing = threading.Lock()

    def start(self, request: Request) -> str | Denied:
        """Admit the request and plan it in the background; returns the execution's id.

        The same idempotency key gives the same execution, however often it is sent.

        Raises:
            UnknownWorkflow: the request names a workflow that is not loaded.
            LedgerUnavailable: the decision could not be made durable.
            Unavailable: Waywarden is stopping; the request is settled as cancelled.
        """
        workflow = self._catalogue().get(request.workflow_id or "")
        if request.recommendation_id and self._history.was_sensitive(request.recommendation_id):
            request = replace(request, marked=True)
        request = self._privacy.judged(request, [workflow.domain])
        decision = self._gate.admit(request)
        if isinstance(decision, Denied):
            return decision
        if not decision.replayed:
            self._begin(decision, workflow, request)
        return decision.request_id

    def again(self, execution_id: str, user_id: str) -> str | Denied:
        """Start anew what was lost, cancelled or failed; twice gives the same new execution.

        Raises:
            UnknownExecution: there is no such execution of this person.
        """
        request = self._history.request(execution_id)
        if request.user_id != user_id:
            raise UnknownExecution(execution_id)
        if self.execution(execution_id).status not in _CAN_START_AGAIN:
            return execution_id
        return self.start(replace(request, idempotency_key=f"again:{execution_id}"))

    def execution(self, execution_id: str) -> Execution:
        """Return an execution as it is now; while planning, with the steps that are complete.

        Raises:
            UnknownExecution: it is not in the ledger.
        """
        # Looked at first: a job that has ended by then has settled, or never will.
        job = self._jobs.find(execution_id)
        is_over = job is not None and job.ended
        execution = self._history.execution(execution_id)
        if execution.status != "planning":
            return execution
        if is_over:
            return replace(execution, status="lost")
        steps = self._progress.steps(execution_id)
        states = tuple(StepState(number, step) for number, step in enumerate(steps, start=1))
        return replace(execution, steps=states)

    def wait(self, execution_id: str, timeout_s: float) -> bool:
        """Return whether planning ended within the time given."""
        job = self._jobs.find(execution_id)
        return job is None or job.wait(timeout_s)

    def when_planned(self, execution_id: str, act: Callable[[], None]) -> None:
        """Call `act`, from some thread, once planning ended; at once if it has."""
        if job := self._jobs.find(execution_id):
            job.when_ended(act)
        else:
            act()

    def cancel(self, execution_id: str) -> None:
        """Ask a plan in the making to stop; harmless when it is made."""
        if job := self._jobs.find(execution_id):
            job.cancel()

    def change_step(self, execution_id: str, user_id: str, change: StepChange) -> None:
        """Record what a person did to a step; the same change again records nothing.

        Raises:
            UnknownExecution: there is no such execution of this person.
            InvalidInput: there is no such step, or a value is out of range.
        """
        # One at a time: of two clicks at once, the second sees what the first did.
        with self._changing:
            execution = self._history.execution(execution_id)
            if execution.user_id != user_id:
                raise UnknownExecution(execution_id)
            if not 1 <= change.step <= len(execution.steps):
                raise InvalidInput("step", f"This run has {len(execution.steps)} steps.")
            state = execution.steps[change.step - 1]
            change = checked(change, state.step)
            if not is_so_already(change, state):
                self._ledger.write(changed(execution, state, change, self._clock.now()))

    def rate(self, execution: Execution, *, useful: bool) -> None:
        """Record whether the plan was useful; the last answer counts."""
        if execution.useful is useful:
            return
        self._ledger.write(
            FeedbackGiven(
                ts=self._clock.now(),
                feedback_id=new_id(),
                user_id=execution.user_id,
                request_id=execution.execution_id,
                workflow_id=execution.workflow_id,
                useful=useful,
            )
        )

    def _begin(self, admission: Admission, workflow: Workflow, request: Request) -> None:
        execution_id = admission.request_id
        self._progress.begin(execution_id)
        try:
            self._jobs.submit(
                execution_id, lambda job: self._plan(job, admission, workflow, request)
            )
        except Unavailable:
            self._progress.end(execution_id)
            self._gate.settle(admission, "cancelled")
            raise

    def _plan(self, job: Job, admission: Admission, workflow: Workflow, request: Request) -> None:
        """Make the plan and settle the request, whatever happens."""
        since = stopwatch_ms()
        execution_id = admission.request_id

        def on_step(step: Step) -> None:
            job.stop_if_cancelled()
            self._progress.add(execution_id, step)

        def settle(outcome: Outcome, *facts: Event, error_type: str | None = None) -> None:
            self._gate.settle(
                admission,
                outcome,
                *facts,
                latency_ms=stopwatch_ms(since),
                error_type=error_type,
                cost_nano_usd=plan_for.spent.cost_nano_usd,
            )

        def restart() -> None:
            self._progress.restart(execution_id)

        plan_for = PlanFor(
            execution_id,
            admission.user_id,
            on_step,
            restart,
            job.stop,
            sensitivity=request.sensitivity,
        )
        try:
            job.stop_if_cancelled()
            plan = self._planner.plan(workflow, _told(request, workflow), plan_for)
            job.stop_if_cancelled()
            settle("succeeded", self._planned(admission, workflow, plan))
        except Cancelled:
            settle("cancelled")
            raise
        except Exception as problem:
            log.exception("Planning %s failed", execution_id)
            settle("failed", error_type=type(problem).__name__)
        finally:
            self._progress.end(execution_id)

    def _planned(self, admission: Admission, workflow: Workflow, plan: Plan) -> ExecutionPlanned:
        source = plan.source
        return ExecutionPlanned(
            ts=self._clock.now(),
            execution_id=admission.request_id,
            user_id=admission.user_id,
            workflow_id=workflow.workflow_id,
            workflow_version=workflow.version,
            domain=workflow.domain,
            planner=source.name if source else self._planner.name,
            planner_version=source.version if source else self._planner.version,
            steps=[step.model_dump(mode="json") for step in plan.steps],
            step_count=len(plan.steps),
            planned_minutes=plan.minutes,
            break_minutes=plan.break_minutes,
            buffer_minutes=plan.buffer_minutes,
            notes=list(plan.notes),
            source=source.model_dump(mode="json") if source and source.tells_of_models else None,
        )


def _told(request: Request, workflow: Workflow) -> Task:
    """Return what the planner is told: steps are written down, so no words that are not kept."""
    if request.keeps_text:
        return request.task
    return request.recorded.model_copy(update={"title": workflow.name})
