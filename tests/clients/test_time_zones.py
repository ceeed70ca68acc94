"""Every name of the time zone database means the same in PHP and in Python."""

from __future__ import annotations

import zoneinfo
from datetime import date, time, timedelta
from pathlib import Path

from jitsi_tokens_client import Appointment

from tests.clients.drop_ins import python
from tests.clients.test_php_pure import told

DAYS = [date(year, month, 15) for year in (2026, 2027) for month in range(1, 13)]
# Those of the database without a summer in PHP, or without a place.
NO_PLACES = {
    *("CET", "EET", "EST", "GMT+0", "GMT-0", "HST", "MET", "MST", "UCT", "WET"),
    *("Factory", "localtime", "posixrules"),
}
STRANGERS = {
    *("", " ", "/", "Europe", "Europe/", "Europe/Berlin ", "Mars/Olympus", "../UTC", "UTC/"),
    *("/etc/passwd", "/usr/share/zoneinfo/Europe/Berlin", "Europe/../Europe/Berlin", "./UTC"),
    *("posix/Europe/Berlin", "right/Europe/Berlin", "Europe\\Berlin", "zone.tab", "tzdata.zi"),
    *("POSIX/UTC", "America.Argentina/Ushuaia", "/".join("a" * 600)),
    *("+02:00", "+0200", "UTC+2", "GMT+2", "Z", "A", "PST", "CEST", "EDT", "EST5", "Tur\u212aey"),
}
IN_PHP = """namespace {
    [$names, $days] = $cases;
    $begins = static function (string $name) use ($days): array|string {
        $on = static fn (string $day): int => JitsiTokens\\Appointment::local(
            $day, '14:30', $name, 1800, 0,
        )->notBefore;
        try {
            return array_map($on, $days);
        } catch (InvalidArgumentException $error) {
            return $error->getMessage();
        }
    };
    echo json_encode(array_map($begins, $names));
}"""


def in_python(name: str) -> list[int] | str:
    """Return when half past two is on each day, or the refusal."""
    half_past, none = time(14, 30), timedelta()
    try:
        return [
            Appointment.local(day, half_past, name, timedelta(minutes=30), none).not_before
            for day in DAYS
        ]
    except ValueError as refused:
        return str(refused).replace("time_zone", "timeZone")


def test_a_zone_is_the_same_in_php_and_in_python() -> None:
    """At 24 times of two years, in any case of letters; or it is refused in the same words."""
    listed, version = told(
        """namespace { echo json_encode([
            DateTimeZone::listIdentifiers(DateTimeZone::ALL_WITH_BC), timezone_version_get(),
        ]); }"""
    )
    known = {"PHP": set(listed), "Python": zoneinfo.available_timezones()}
    names = sorted(known["PHP"] | known["Python"] | NO_PLACES | STRANGERS)
    spellings = [*names, *(name.swapcase() for name in names if name.isascii())]

    in_php = told(IN_PHP, [spellings, [str(day) for day in DAYS]])
    table = {name: (php, in_python(name)) for name, php in zip(spellings, in_php, strict=True)}

    refused = {name for name in names if all(isinstance(begins, str) for begins in table[name])}
    unlike = {name for name, (php, python) in table.items() if php != python}
    # Of two versions of the database each may lack a name, and have other rules for some.
    alone = {name for name in known["PHP"] ^ known["Python"] if name not in refused}
    is_one = version.endswith("system") and any(Path(at, "UTC").exists() for at in zoneinfo.TZPATH)
    changed = {name for name in unlike & set(names) if not is_one} - alone - refused
    differing = alone | changed
    summary = (
        f"{len(names)} names: {len(names) - len(refused) - len(differing)} taken and"
        f" {len(refused)} refused alike, {len(spellings)} spellings;"
        f" one database: {is_one}; known in one language alone: {sorted(alone)};"
        f" with other rules: {sorted(changed)}"
    )
    print(summary)  # noqa: T201 - for `pytest -s`
    wrong = unlike - differing - {name.swapcase() for name in differing}
    assert not wrong, {name: table[name] for name in wrong}
    assert len(differing) < len(names) // 20, summary
    # PHP on Debian also lists files that hold no zone.
    assert refused >= STRANGERS | NO_PLACES, summary
    assert refused - STRANGERS - NO_PLACES <= known["PHP"] - known["Python"], summary


def test_python_needs_no_database_of_the_system() -> None:
    """Windows has none, nor have small containers: the package tzdata has."""
    script = """
from datetime import date, time, timedelta
from jitsi_tokens_client import Appointment
given = date(2026, 7, 15), time(14, 30), "singapore", timedelta(minutes=30), timedelta()
print(Appointment.local(*given).start.isoformat())
"""
    finished = python("-c", script, PYTHONTZPATH="")

    assert finished.stdout == "2026-07-15T14:30:00+08:00\n", finished.stderr
