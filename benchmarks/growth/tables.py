"""The arithmetic as tables in Markdown: for a million and for a billion tokens a month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.growth import prices
from benchmarks.growth.bill import bill, firewall, logged_gb, stored_gb
from benchmarks.growth.quotas import met_at, quotas, workload
from benchmarks.growth.workload import containers
from benchmarks.markdown import table

if TYPE_CHECKING:
    from benchmarks.growth.workload import Deployed, Figures

MILLION, BILLION = 1_000_000, 1_000_000_000
_BOTH = (workload(MILLION), workload(BILLION))


def rates(figures: Figures) -> str:
    """Return what the months mean a second, and in containers."""
    seconds = figures.issue_ms / 1000
    return table(
        ["", "a million tokens a month", "a billion"],
        [
            ["API keys that share them", *(f"{load.clients:,}" for load in _BOTH)],
            ["tokens a second, on average", *(_short(load.average) for load in _BOTH)],
            ["in the working hours", *(_short(load.working) for load in _BOTH)],
            ["in the busiest minutes", *(_short(load.peak) for load in _BOTH)],
            [
                "containers of `IssueToken` then",
                *(f"{containers(load.peak, seconds):,}" for load in _BOTH),
            ],
            [
                "token requests that the authorizer is called for",
                *(f"{load.authorized_anew:.0%}" for load in _BOTH),
            ],
            ["GB of log a month", *(_short(logged_gb(load, figures)) for load in _BOTH)],
            [
                "GB stored after six years",
                *(_short(stored_gb(load, figures)) for load in _BOTH),
            ],
        ],
    )


def cost(figures: Figures, deployed: Deployed) -> str:
    """Return the bills of a month side by side, and what a token costs."""
    bills = [bill(load, figures, deployed) for load in _BOTH]
    totals = [sum(line.dollars for line in lines) for lines in bills]
    million, billion = bills
    return table(
        ["US dollars a month", "a million tokens", "a billion tokens"],
        [
            *(
                [one.name, _dollars(one.dollars), _dollars(other.dollars)]
                for one, other in zip(million, billion, strict=True)
            ),
            ["**all of it**", *(f"**{_dollars(total)}**" for total in totals)],
            [
                "a thousand tokens",
                *(
                    f"{total / load.tokens * 1000:.4f}"
                    for total, load in zip(totals, _BOTH, strict=True)
                ),
            ],
            [
                "`FirewallEnabled=true` adds",
                *(_dollars(firewall(load, deployed)) for load in _BOTH),
            ],
        ],
    )


def quota_list(figures: Figures, deployed: Deployed) -> str:
    """Return the quotas in the order in which a growing stack meets them."""
    found = [(met_at(quota), quota) for quota in quotas(figures, deployed)]
    found.sort(key=lambda pair: pair[0] or float("inf"))
    return table(
        ["in the busiest minutes", "limit", "a million asks", "a billion asks", "met at, a month"],
        (
            [
                quota.name,
                f"{quota.limit:,.0f}",
                *(_short(quota.demand(load)) for load in _BOTH),
                _tokens(met),
            ]
            for met, quota in found
        ),
    )


def price_list() -> str:
    """Return the prices, each with the number of its source, and the sources."""
    sources = list(dict.fromkeys(price.source for price in prices.NAMES.values()))
    rows = (
        [name, price.written, str(sources.index(price.source) + 1)]
        for name, price in prices.NAMES.items()
    )
    listed = "\n".join(f"{number}. <{source}>" for number, source in enumerate(sources, start=1))
    made = table(["", "price", "source"], rows, texts=2)
    return f"As read on {prices.READ}.\n\n{made}\n\n{listed}"


def _dollars(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:,.2f}"  # noqa: PLR2004 - no cents


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"  # noqa: PLR2004 - two digits


def _tokens(number: int | None) -> str:
    if number is None:
        return "never"
    for size, name in ((10**12, "trillion"), (BILLION, "billion"), (MILLION, "million")):
        if number >= size:
            return f"{_short(number / size)} {name}"
    return f"{number:,}"
