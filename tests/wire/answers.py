"""What a model of good will answers: a ranking or a plan, whichever the schema asks for."""

from __future__ import annotations

from typing import Any

__all__ = ["a_ranking", "sensible"]

TITLES = (
    "Look at what is there",
    "Decide what to do",
    "Do the first half",
    "Do the rest",
    "Check",
)


def a_ranking(*ids: str, first: int = 83) -> dict[str, Any]:
    """Claim `first` per cent for the first of three workflows, and little for the others."""
    claims = zip(ids, (first, 9, 4), strict=True)
    return {
        "workflows": [
            {"id": name, "reason": f"It is made for this: {name}.", "confidence": claim}
            for name, claim in claims
        ]
    }


def sensible(body: dict[str, Any]) -> dict[str, Any]:
    """Answer with the first three workflows by name, or with a plan of five steps."""
    schema = _schema(body)
    if "workflows" in schema["properties"]:
        item = schema["properties"]["workflows"]["items"]
        return a_ranking(*sorted(item["properties"]["id"]["enum"])[:3])
    return {
        "steps": [
            {
                "title": title,
                "description": f"Part {number} of it, in a few words.",
                "estimated_minutes": 15,
                "energy_level": "medium",
                "icon": "🔧",
                "expected_outcome": f"Part {number} is done",
                "validation_command": None,
            }
            for number, title in enumerate(TITLES, start=1)
        ]
    }


def _schema(body: dict[str, Any]) -> dict[str, Any]:
    """Find the schema where Claude's and Ollama's requests have it."""
    found = body.get("format") or body["output_config"]["format"]["schema"]
    assert isinstance(found, dict)
    return found
