"""What can be run: workflow files, their catalogue, templates, and the task they serve."""

from core.catalogue.catalogue import Catalogue, Fault
from core.catalogue.outline import Energy, OutlineStep, TimeOfDay, Variant
from core.catalogue.task import (
    ENERGY_LABELS,
    CodeContext,
    Priority,
    Task,
    fault_sentence,
    task_from,
)
from core.catalogue.template import render
from core.catalogue.words import (
    STOP_WORDS,
    any_occurs,
    content_stems,
    forms,
    stem,
    stems,
    words_of,
)
from core.catalogue.workflow import DOMAINS, Domain, Workflow

__all__ = [
    "DOMAINS",
    "ENERGY_LABELS",
    "STOP_WORDS",
    "Catalogue",
    "CodeContext",
    "Domain",
    "Energy",
    "Fault",
    "OutlineStep",
    "Priority",
    "Task",
    "TimeOfDay",
    "Variant",
    "Workflow",
    "any_occurs",
    "content_stems",
    "fault_sentence",
    "forms",
    "render",
    "stem",
    "stems",
    "task_from",
    "words_of",
]
