"""Core's values as the API writes them."""

from __future__ import annotations

from core.api import schemas as s
from core.catalogue import Workflow
from core.execute import Execution
from core.guard import RuleUsage
from core.llm import Source
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
        ranker=answer.source.name,
        ranker_version=answer.source.version,
        source=_source_out(answer.source),
        own_claim=answer.is_own_claim,
        sensitive=answer.is_sensitive,
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
        source=_plan_source(execution),
        sensitive=execution.is_sensitive,
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


def _plan_source(execution: Execution) -> s.SourceOut | None:
    if execution.source is not None:
        return _source_out(execution.source)
    # Of a local plan, where no model was to make it, only the planner is written down.
    return _source_out(Source.local(execution.planner, "")) if execution.planner else None


def _source_out(source: Source) -> s.SourceOut:
    return s.SourceOut(
        provider=source.provider or "local",
        model=source.model,
        reason=source.reason,
        falls=[s.FallOut(**fall.model_dump()) for fall in source.falls],
        input_tokens=source.input_tokens,
        output_tokens=source.output_tokens,
        cost_nano_usd=source.cost_nano_usd,
        measured=source.is_measured,
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
