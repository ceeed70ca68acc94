"""Which quota a growing stack meets, and at how many tokens a month."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.growth.workload import KEY_FRESH_SECONDS, Workload, containers

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.growth.workload import Deployed, Figures

# A clinic group or a practice system behind one API key: two thousand of them make a billion.
TOKENS_PER_CLIENT = 500_000
_MOST_TOKENS = 10**13


# A container of the probe reads the last check's answer anew after so long.
_STATUS_FRESH_SECONDS = 5


class Quota(NamedTuple):
    """A limit a second (or at once), and what the busiest minutes ask of it."""

    name: str
    limit: float
    demand: Callable[[Workload], float]


def workload(tokens: int) -> Workload:
    """Return the workload of so many tokens, with as many clients as that takes."""
    return Workload(tokens, clients=max(1, round(tokens / TOKENS_PER_CLIENT)))


def quotas(figures: Figures, deployed: Deployed) -> list[Quota]:
    """Return the stack's own limits and an account's, as they are before anybody asks for more."""

    def issuing(load: Workload) -> float:
        return containers(load.peak, figures.issue_ms / 1000)

    def all_containers(load: Workload) -> float:
        authorized = load.peak * load.authorized_anew
        return issuing(load) + containers(authorized, figures.authorize_ms / 1000)

    def secret_calls(load: Workload) -> float:
        return deployed.secrets * issuing(load) / KEY_FRESH_SECONDS

    def probed(load: Workload) -> float:
        return containers(load.peak * load.others, 0) / _STATUS_FRESH_SECONDS

    def requested(load: Workload) -> float:
        return load.peak * (1 + load.others)

    def authorized(load: Workload) -> float:
        return load.peak * load.authorized_anew

    def others(load: Workload) -> float:
        return load.peak * load.others

    return [
        Quota("`ThrottlingRate`, tokens/s", deployed.throttling_rate, lambda load: load.peak),
        Quota("`PublicThrottlingRate`, other requests/s", deployed.public_throttling_rate, others),
        Quota("Lambda, containers at once", 1_000, all_containers),
        Quota("Lambda, a function's further containers in 10 s", 1_000, issuing),
        Quota("API Gateway, requests/s", 10_000, requested),
        Quota(
            "CloudWatch Logs, `PutLogEvents`/s", 5_000, lambda load: load.peak + authorized(load)
        ),
        Quota("SSM, reads/s", 40, probed),
        Quota("DynamoDB, reads/s of a new table", 12_000, authorized),
        Quota("Secrets Manager, `GetSecretValue`/s", 10_000, secret_calls),
        Quota("KMS, symmetric calls/s in most regions", 10_000, secret_calls),
    ]


def met_at(quota: Quota) -> int | None:
    """Return the tokens a month whose busiest minutes meet a quota, to 1 %; None for never."""
    low, high = 1, _MOST_TOKENS
    if quota.demand(workload(high)) < quota.limit:
        return None
    while high - low > low / 100:
        middle = (low + high) // 2
        if quota.demand(workload(middle)) < quota.limit:
            low = middle
        else:
            high = middle
    return high
