"""What a workflow file must say."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from core.catalogue import template
from core.catalogue.outline import Icon, Line, OutlineStep, Prose
from core.catalogue.showable import showable

__all__ = ["DOMAINS", "Domain", "Workflow"]

Domain = Literal["dev", "personal", "health", "finance", "learning", "creative"]
DOMAINS: tuple[Domain, ...] = get_args(Domain)

NEVER_DROPPED, NEVER_SKIPPED = 3, 2

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Prompt = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=20, max_length=20_000),
    AfterValidator(showable),
]
Tag = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9 +#.-]*$", max_length=30)]


class Workflow(BaseModel):
    """One workflow: its words for people, its prompts for a model, its outline for the planner."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workflow_id: Id
    name: Line
    description: Prose
    domain: Domain
    workflow_type: Line = "general"
    expected_step_count: int = Field(ge=3, le=10)
    tags: tuple[Tag, ...] = ()
    llm_provider: Line | None = None
    default_icon: Icon = "🧭"
    version: Line = "1.0.0"
    author: Line = "unknown"
    examples: tuple[Line, ...] = ()
    step_fields: tuple[Literal["expected_outcome", "validation_command"], ...] = ()
    system_prompt: Prompt
    user_prompt_template: Prompt
    outline: tuple[OutlineStep, ...] = ()

    @field_validator("system_prompt", "user_prompt_template", mode="before")
    @classmethod
    def _text_or_table(cls, prompt: object) -> object:
        """Accept `key = "..."` and `[key]` with `content = "..."` alike."""
        if isinstance(prompt, dict):
            if set(prompt) != {"content"}:
                raise ValueError("a prompt's table holds `content` and nothing else")
            return prompt["content"]
        return prompt

    @field_validator("system_prompt", "user_prompt_template")
    @classmethod
    def _variables_are_known(cls, prompt: str) -> str:
        faults = template.faults_in(prompt)
        if faults:
            raise ValueError("; ".join(faults))
        return prompt

    @field_validator("outline")
    @classmethod
    def _outline_fits(
        cls, outline: tuple[OutlineStep, ...], others: ValidationInfo
    ) -> tuple[OutlineStep, ...]:
        if not outline:
            return outline
        expected = others.data.get("expected_step_count", len(outline))
        if len(outline) != expected:
            raise ValueError(f"has {len(outline)} steps, expected_step_count says {expected}")
        if sum(not step.drop_when for step in outline) < NEVER_DROPPED:
            raise ValueError("at least three steps of an outline are never dropped")
        if sum(not step.skippable for step in outline) < NEVER_SKIPPED:
            raise ValueError("at least two steps of an outline are never skipped")
        return outline

    @property
    def nominal_minutes(self) -> int | None:
        """What the whole outline takes on a normal day, without breaks; None without one."""
        return sum(step.minutes for step in self.outline) if self.outline else None
