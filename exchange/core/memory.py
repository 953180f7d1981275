"""What keeps a long-running process small."""

import ctypes
import gc
import sys

M_ARENA_MAX = -8  # of mallopt(3)
GC_NEW_OBJECTS = (
    20_000  # before the garbage collector looks for cycles among them: 700 visit a page of rows 10 times
)


def memory_settle() -> None:
    """When a program is loaded, before its threads begin: what is loaded stays, so the garbage collector need not visit
    it; and with glibc all threads share two heaps, instead of a new one for each.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_NEW_OBJECTS)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 2)
