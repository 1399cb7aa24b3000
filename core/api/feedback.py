"""What a caller says of an answer: three bodies of one route, told apart by their fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Tag

from core.api.schemas import Id
from core.execute import Executor
from core.recommend import Feedback

__all__ = ["KINDS", "Choice", "Dismissal", "Rating", "Said", "record"]


def _true(value: object) -> object:
    if value is not True:
        raise ValueError("must be true")
    return value


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rating(_Said):
    """Whether a run was useful; the last answer counts."""

    execution_id: Id
    useful: bool


class Dismissal(_Said):
    """None of the workflows that were recommended fits."""

    recommendation_id: Id
    dismissed: Annotated[Literal[True], BeforeValidator(_true)]


class Choice(_Said):
    """The workflow that the caller takes and runs elsewhere; the last choice counts."""

    recommendation_id: Id
    workflow_id: Id


_TOLD_BY: Mapping[str, type[_Said]] = {
    "execution_id": Rating,
    "useful": Rating,
    "dismissed": Dismissal,
    "workflow_id": Choice,
}
KINDS = frozenset(kind.__name__ for kind in _TOLD_BY.values())


def _kind(said: object) -> str | None:
    """Return which of the three is meant, or None where none or several are."""
    if isinstance(said, _Said):
        return type(said).__name__
    if not isinstance(said, Mapping):
        return None
    meant = {kind.__name__ for field, kind in _TOLD_BY.items() if field in said}
    return meant.pop() if len(meant) == 1 else None


Said = Annotated[
    Annotated[Rating, Tag("Rating")]
    | Annotated[Dismissal, Tag("Dismissal")]
    | Annotated[Choice, Tag("Choice")],
    Discriminator(
        _kind,
        custom_error_type="no_kind",
        custom_error_message=(
            "send “execution_id” with “useful”, "
            "or “recommendation_id” with “dismissed” or “workflow_id”"
        ),
    ),
]


def record(said: Rating | Dismissal | Choice, executor: Executor, feedback: Feedback) -> None:
    """Make it durable, as said by the person whose run or recommendation it is.

    Raises:
        UnknownExecution: there is no such run.
        UnknownRecommendation: there is no such recommendation.
        UnknownWorkflow: no workflow of that id is loaded.
    """
    if isinstance(said, Rating):
        executor.rate(executor.execution(said.execution_id), useful=said.useful)
        return
    person = feedback.owner(said.recommendation_id)
    if isinstance(said, Choice):
        feedback.choose(said.recommendation_id, person, said.workflow_id)
    else:
        feedback.dismiss(said.recommendation_id, person)
