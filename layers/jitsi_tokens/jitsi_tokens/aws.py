"""How long a request waits for AWS, each time limit in seconds and for one address of a service."""

from botocore.config import Config

# Nothing can be answered without it: worth a second try.
PATIENT = Config(
    connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2, "mode": "standard"}
)
# There is an answer already, which this call may only renew.
IMPATIENT = Config(connect_timeout=0.5, read_timeout=1, retries={"total_max_attempts": 1})
