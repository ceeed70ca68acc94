"""Read by Python when a function's worker starts: the worker's clock goes as the tests say.

Only `time.time` does, which the functions ask for the time. What signs requests to AWS asks
`datetime`, and on AWS a clock that is wrong by more than five minutes has those refused.
"""

import os
import time
from pathlib import Path

_OFFSET = os.environ.get("FAULTS_CLOCK_OFFSET_FILE")

# The emulator has the same environment, and keeps its own time.
if _OFFSET and "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _FILE, _TIME = Path(_OFFSET), time.time

    def _shifted() -> float:
        return _TIME() + float(_FILE.read_text())

    time.time = _shifted
