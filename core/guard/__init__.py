"""What stands between a request and its cost."""

from core.guard.gate import Gate
from core.guard.privacy import PrivacyRules
from core.guard.rate_limit import Allowed, Limiter, Usage, Violation, rule_name
from core.guard.request import Admission, Denied, Outcome, Request, RuleUsage, profile_name
from core.guard.sensitive import Sensitivity, sensitive

__all__ = [
    "Admission",
    "Allowed",
    "Denied",
    "Gate",
    "Limiter",
    "Outcome",
    "PrivacyRules",
    "Request",
    "RuleUsage",
    "Sensitivity",
    "Usage",
    "Violation",
    "profile_name",
    "rule_name",
    "sensitive",
]
