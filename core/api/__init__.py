"""HTTP: the same gate, ledger and services, for programs."""

from core.api.routes import Services, build

__all__ = ["Services", "build"]
