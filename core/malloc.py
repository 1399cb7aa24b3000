"""What the C library's allocator is told, so that a loaded server does not keep growing."""

from __future__ import annotations

import ctypes

__all__ = ["give_back", "share_arenas"]

# From glibc's malloc.h.
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
LEAST_MAPPED_BYTES = 128 * 2**10


def share_arenas() -> None:
    """Let all threads allocate from two arenas, and large blocks outside of them.

    glibc gives each thread its own arena, and learns to put ever larger blocks there; each arena
    keeps the holes. Under 50 requests a second the process would grow by 20 MB a minute.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 2)
        mallopt(_M_MMAP_THRESHOLD, LEAST_MAPPED_BYTES)


def give_back() -> None:
    """Return to the system what was freed; glibc keeps it, in its arenas."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
