"""Core's values as the API writes them."""

from __future__ import annotations

from core.api import schemas as s
from core.catalogue import Workflow
from core.execute import Execution
from core.guard import RuleUsage
from core.recommend import Recommendation

__all__ = ["execution_out", "recommend_out", "rules_out", "workflow_out"]


def recommend_out(answer: Recommendation) -> s.RecommendOut:
    return s.RecommendOut(
        request_id=answer.request_id,
        nothing_fits=answer.nothing_fits,
        recommendations=[
            s.Candidate(
                workflow_id=suggestion.workflow_id,
                name=suggestion.name,
                domain=suggestion.domain,
                confidence=round(suggestion.confidence, 4),
                band=suggestion.band,
                reasoning=suggestion.reasoning,
                expected_steps=suggestion.expected_steps,
                estimated_time_minutes=suggestion.estimated_time_minutes,
            )
            for suggestion in answer.suggestions
        ],
        ranker=answer.ranker,
        ranker_version=answer.ranker_version,
        latency_ms=round(answer.latency_ms, 3),
    )


def execution_out(execution: Execution) -> s.ExecutionOut:
    return s.ExecutionOut(
        execution_id=execution.execution_id,
        user_id=execution.user_id,
        status=execution.status,
        task_title=execution.task_title,
        workflow_id=execution.workflow_id,
        planner=execution.planner,
        created_at=execution.ts,
        steps=[
            s.StepOut(
                number=state.number,
                status=state.status,
                actual_minutes=state.actual_minutes,
                **state.step.model_dump(),
            )
            for state in execution.steps
        ],
        break_minutes=execution.break_minutes,
        buffer_minutes=execution.buffer_minutes,
        notes=list(execution.notes),
        useful=execution.useful,
        error=execution.error,
    )


def rules_out(usage: list[RuleUsage]) -> list[s.RuleOut]:
    return [
        s.RuleOut(
            limit=each.rule.limit,
            window_s=each.rule.window_s,
            used=each.used,
            opens_at=each.opens_at,
        )
        for each in usage
    ]


def workflow_out(workflow: Workflow) -> s.WorkflowOut:
    return s.WorkflowOut(
        workflow_id=workflow.workflow_id,
        name=workflow.name,
        description=workflow.description,
        domain=workflow.domain,
        workflow_type=workflow.workflow_type,
        expected_step_count=workflow.expected_step_count,
        tags=list(workflow.tags),
        icon=workflow.default_icon,
        version=workflow.version,
        author=workflow.author,
    )
