"""How long a request waits for AWS."""

from botocore.config import Config

# At most about seven seconds a call, well inside the functions' own limit.
IMPATIENT = Config(
    connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2, "mode": "standard"}
)
