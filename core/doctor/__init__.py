"""What an operator checks first: files, locks, versions, disk, migrations, providers."""

from core.doctor.checks import disk, examine, trained
from core.doctor.finding import Finding
from core.doctor.providers import RUNGS

__all__ = ["RUNGS", "Finding", "disk", "examine", "trained"]
