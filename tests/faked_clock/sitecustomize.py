"""Python under libfaketime 0.9.10, of Debian and Ubuntu, while the monotonic clock is real.

Its clock_nanosleep fails (https://github.com/wolfcw/libfaketime/issues/426). And where a thread
waits it calls getenv, which reads freed memory where another thread has setenv move the environment
meanwhile: here each change makes an environment of its own, and the last thousand are kept.
"""

import collections
import ctypes
import os
import select
import time
from typing import Any

# What is replaced below is typed otherwise, or not at all.
_OS: Any = os
_TIME: Any = time
_ENVIRON = ctypes.c_void_p.in_dll(ctypes.CDLL(None), "environ")
_KEPT: collections.deque[object] = collections.deque(maxlen=1000)


def _replace_environment(variables: dict[bytes, bytes]) -> None:
    lines = [name + b"=" + value for name, value in variables.items()]
    array = (ctypes.c_char_p * (len(lines) + 1))(*lines)
    _KEPT.append(array)
    _ENVIRON.value = ctypes.addressof(array)


def _putenv(name: bytes, value: bytes) -> None:
    _replace_environment({**_OS.environ._data, name: value})


def _unsetenv(name: bytes) -> None:
    _replace_environment({k: v for k, v in _OS.environ._data.items() if k != name})


def _sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


_OS.putenv, _OS.unsetenv = _putenv, _unsetenv
_TIME.sleep = _sleep
