"""A workflow into steps: plans made in the background, and what people do with them."""

from core.execute.execution import Execution, Plan, Status, Step, StepState, StepStatus
from core.execute.executor import Executor, StepChange
from core.execute.history import History
from core.execute.local_planner import Estimate, LocalPlanner, Planner

__all__ = [
    "Estimate",
    "Execution",
    "Executor",
    "History",
    "LocalPlanner",
    "Plan",
    "Planner",
    "Status",
    "Step",
    "StepChange",
    "StepState",
    "StepStatus",
]
