"""The planner that asks models, and the local one when none of them has a plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from core.catalogue import Task, Workflow
from core.errors import LedgerUnavailable, WaywardenError
from core.execute.execution import Plan, Step
from core.execute.model_answer import Reading, read, read_steps, steps_in
from core.execute.model_prompt import leaks, prompt_for
from core.execute.planner import PlanFor, Planner
from core.jobs import Cancelled
from core.llm import (
    Ask,
    AskableModels,
    Attempt,
    Caller,
    Calls,
    Fall,
    Flaw,
    ModelFailure,
    NoModelLeft,
    Setup,
    Source,
    Terms,
)

__all__ = ["ModelPlanner"]

MOST_FAULTS_TOLD = 5
_REJECTED = "The answer is not a plan that can be used. {fault}"
_AGAIN = "Your answer before this one was not accepted. Answer again, in full, without its faults:"
_LEAKED = "The answer gave away what was told in confidence, so that it cannot be trusted."


class ModelPlanner:
    """Asks models for a plan; whatever becomes of that, its person gets one."""

    name = "model"
    version = "1"

    def __init__(
        self,
        *,
        models: AskableModels,
        allowed: Callable[[Workflow, Task, PlanFor], str | None],
        calls: Calls,
        local: Planner,
    ) -> None:
        """Ask `models` where there are some.

        `allowed` gives the reason why no model may be asked, or None; it is asked before each
        call. `local` makes the plan where no model does.
        """
        self._models = models
        self._allowed = allowed
        self._calls = calls
        self._local = local

    def plan(self, workflow: Workflow, task: Task, plan_for: PlanFor) -> Plan:
        """Return a model's plan, or the local one with the reason why; its `source` is given.

        Raises:
            Cancelled: no plan is wanted any more.
            LedgerUnavailable: a call could not be written down.
        """
        making = _Making(workflow, task, plan_for)
        reason: str | None = None
        falls: Sequence[Fall] = ()
        try:
            if self._models.are_set_up(plan_for.user_id, "plan"):
                reason = self._forbidden(making)
                setup = None if reason else self._models.setup(plan_for.user_id, "plan")
                if setup is not None:
                    return self._by_model(setup, making)
        except ModelFailure as failure:
            # The ladder falls past every other one.
            raise Cancelled from failure
        except LedgerUnavailable:
            raise
        except NoModelLeft as left:
            reason, falls = str(left), left.falls
        except WaywardenError as problem:  # such as a key that cannot be opened
            reason = str(problem)
        plan = self._local.plan(workflow, task, plan_for)
        local = self._local
        source = Source.local(local.name, local.version, reason, falls, plan_for.spent)
        return plan.model_copy(update={"source": source})

    def _by_model(self, setup: Setup, making: _Making) -> Plan:
        """Ask down the ladder.

        Raises:
            NoModelLeft: none of them has a plan.
            ModelFailure: the call was cancelled.
        """
        prompt = prompt_for(making.workflow, making.task)
        ask = Ask(
            purpose="plan",
            system=prompt.system,
            user=prompt.user,
            schema=prompt.schema,
            deadline_s=setup.deadline_s,
        )
        plan_for = making.plan_for
        caller = Caller(plan_for.request_id, plan_for.user_id, prompt.version)
        answer = setup.ladder.ask(ask, self._terms(caller, making))
        steps = making.read(answer.completion.value).steps
        making.show(steps)
        source = Source.of_model(self.name, answer, prompt.version, plan_for.spent)
        return Plan(steps=steps, source=source)

    def _terms(self, caller: Caller, making: _Making) -> Terms:
        terms = self._calls.terms(
            caller,
            lambda: self._forbidden(making),
            on_partial=making.show_complete,
            stop=making.plan_for.stop,
            check=making.flaw,
            spent=making.plan_for.spent,
        )

        def record(attempt: Attempt) -> None:
            terms.record(attempt)
            if attempt.outcome != "succeeded":
                making.restart()

        return replace(terms, record=record)

    def _forbidden(self, making: _Making) -> str | None:
        return self._allowed(making.workflow, making.task, making.plan_for)


class _Making:
    """A plan in the making: of what, for whom, and the steps that its person sees of it."""

    def __init__(self, workflow: Workflow, task: Task, plan_for: PlanFor) -> None:
        self.workflow = workflow
        self.task = task
        self.plan_for = plan_for
        self._shown: list[Step] = []
        self._complete = 0

    def read(self, answer: Any) -> Reading:
        return read(answer, self.workflow, self.task)

    def flaw(self, answer: Any) -> Flaw | None:
        """Return what is wrong with a whole answer.

        Raises:
            ModelFailure: it gives the canary away, and the same model is not asked again.
        """
        if leaks(answer):
            raise ModelFailure("leaked", _LEAKED)
        faults = self.read(answer).faults[:MOST_FAULTS_TOLD]
        if not faults:
            return None
        return Flaw(_REJECTED.format(fault=faults[0]), "\n".join((_AGAIN, *faults)))

    def show_complete(self, answer: Any) -> None:
        """Show what is new of an answer that is still growing: its last step may grow too."""
        complete = (steps_in(answer) or [])[:-1]
        if len(complete) <= self._complete:
            return
        self._complete = len(complete)
        if not leaks(answer):
            self.show(read_steps(complete, self.workflow, self.task).steps)

    def show(self, steps: Sequence[Step]) -> None:
        """Show those that are new; if others were shown before, these come in their place."""
        if list(steps[: len(self._shown)]) != self._shown:
            self.restart()
        for step in steps[len(self._shown) :]:
            self._shown.append(step)
            # A call that is no longer wanted ends by itself, and then knows what it has used.
            with suppress(Cancelled):
                self.plan_for.on_step(step)

    def restart(self) -> None:
        """Withdraw what was shown, as another answer begins."""
        self._complete = 0
        if self._shown:
            self._shown.clear()
            self.plan_for.restart()
