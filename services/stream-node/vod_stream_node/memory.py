"""Memory that was freed and that the C library keeps: after a busy hour as much as is in use."""

import ctypes


def give_back() -> None:
    """Give what is free back to the system, where the C library can do that: malloc_trim(3), 1 to 3 ms.

    By itself glibc gives back what is free at a heap's end alone; one small object that lives long stands before that.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
