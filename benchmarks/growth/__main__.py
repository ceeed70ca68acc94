"""`python -m benchmarks.growth`: prints the arithmetic, and writes the pages with figures anew."""

from __future__ import annotations

from benchmarks import page

for name in ("rates", "cost", "quotas"):
    print(f"{page.sections()[page.SCALING][name]}\n")
page.write()
