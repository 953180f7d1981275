"""A word from the program to its tasks at work: finish what you are doing, begin nothing new."""

from multiprocessing import get_context

# Made when the module is loaded, so that the processes forked afterwards share it.
_asked = get_context("fork").Event()


def stop_ask() -> None:
    _asked.set()


def stop_is_asked() -> bool:
    """Whether the program wants to end; long work looks here between two requests."""
    return _asked.is_set()
