"""A workflow into steps: plans made in the background, and what people do with them."""

from core.execute.execution import (
    Execution,
    Plan,
    Status,
    Step,
    StepState,
    StepStatus,
)
from core.execute.executor import Executor
from core.execute.history import History
from core.execute.local_planner import Estimate, LocalPlanner
from core.execute.model_planner import ModelPlanner
from core.execute.planner import PlanFor, Planner
from core.execute.step_change import StepChange

__all__ = [
    "Estimate",
    "Execution",
    "Executor",
    "History",
    "LocalPlanner",
    "ModelPlanner",
    "Plan",
    "PlanFor",
    "Planner",
    "Status",
    "Step",
    "StepChange",
    "StepState",
    "StepStatus",
]
