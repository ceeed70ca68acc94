"""The PHP client's parts that need no server, many cases to a start of PHP."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from jitsi_tokens_client import ConfigurationError
from jitsi_tokens_client.settings import read_address

from tests.clients.php_caller import CLIENT, php
from tests.clients.samples import API_KEY, WELL
from tests.clients.unruly_server import UnrulyServer

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = "generate-jwt-token.php"


def told(script: str, cases: object = None) -> Any:
    """Run a script that finds its cases in `$cases`, and return what it says as JSON."""
    head = f"""<?php
        declare(strict_types=1);
        namespace {{
            require '{CLIENT}/autoload.php';
            $cases = json_decode($argv[1], true);
            function thrown(callable $deed): ?string
            {{
                try {{
                    $deed();
                    return null;
                }} catch (\\Exception $error) {{
                    return get_class($error) . ': ' . $error->getMessage();
                }}
            }}
        }}"""
    finished = php("--", json.dumps(cases), text=f"{head}\n{script}")
    assert finished.returncode == 0, finished.stderr
    assert not finished.stderr
    return json.loads(finished.stdout)


def invalid(message: str) -> str:
    """Return what `thrown` makes of an argument that cannot be."""
    return f"InvalidArgumentException: {message}"


# Functions of the client's namespace come before PHP's own of the same name.
FAILING = """
    namespace JitsiTokens\\Internal {
        final class Clock { public static array $waits = []; public static ?int $chance = null; }
        function usleep(int $microseconds): void { Clock::$waits[] = $microseconds / 1e6; }
        function random_int(int $least, int $most): int
        {
            return Clock::$chance === null ? \\random_int($least, $most) : Clock::$chance * $most;
        }
        final class Closing implements Transport
        {
            public function __construct(private ?int $retryAfter = null) {}
            public function send(string $url, HttpRequest $sent, float $seconds): Answer|Failure
            {
                $answer = new Answer();
                [$answer->status, $answer->retryAfterSeconds] = [503, $this->retryAfter];
                return $this->retryAfter === null ? Failure::Closed : $answer;
            }
        }
    }
    namespace {
        use JitsiTokens\\Internal;
        use JitsiTokens\\Internal\\Clock;
        function waits(?int $chance, ?int $retryAfter = null, float $total = 60.0): array
        {
            [Clock::$waits, Clock::$chance] = [[], $chance];
            $limits = new JitsiTokens\\Limits(totalSeconds: $total, attempts: 6);
            $attempts = new Internal\\Attempts(new Internal\\Closing($retryAfter), $limits);
            $attempts->outcome('https://h.example', new Internal\\HttpRequest('GET', '/'));
            return Clock::$waits;
        }
        echo json_encode([
            'random' => waits(null),
            'least' => waits(0),
            'most' => waits(1),
            'asked' => waits(1, 5),
            'short' => waits(1, null, 0.5),
            'none' => waits(0, 60),
        ]);
    }"""


def test_attempts_wait_by_chance_and_as_asked() -> None:
    """Five waits between six attempts, none beyond the call's time."""
    waits = told(FAILING)

    longest = [0.2, 0.4, 0.8, 1.6, 2.0]
    assert len(waits["random"]) == 5
    assert all(0 <= wait <= most for wait, most in zip(waits["random"], longest, strict=True))
    # By chance not more often than once in 10**20 runs.
    assert any(wait > 0.001 for wait in waits["random"])
    assert waits["least"] == [0] * 5
    assert waits["most"] == pytest.approx(longest)
    assert waits["asked"] == pytest.approx([5 + wait for wait in longest])
    # The clock does not move: each wait alone has to fit.
    assert waits["short"] == pytest.approx([0.2, 0.4])
    assert waits["none"] == []


def test_limits_that_cannot_be_are_refused() -> None:
    """By name; a whole day is the most."""
    names = ("connectSeconds", "attemptSeconds", "totalSeconds")
    values = ["-1.0", "0.0", "-0.0", "NAN", "INF", "-INF", "86400.001", "0.001", "86400.0", "3"]
    cases = [f"{name}: {value}" for name in names for value in values]
    cases += [f"attempts: {value}" for value in ("-1", "0", "1", "1000000")]
    deeds = "".join(f"'{c}' => thrown(fn () => new JitsiTokens\\Limits({c}))," for c in cases)

    assert told(f"namespace {{ echo json_encode([{deeds}]); }}") == {
        **{
            f"{name}: {value}": None
            if value in ("0.001", "86400.0", "3")
            else invalid(f"{name} must be over 0, and at most 86400.")
            for name in names
            for value in values
        },
        "attempts: -1": invalid("attempts must be a whole number, 1 or more."),
        "attempts: 0": invalid("attempts must be a whole number, 1 or more."),
        "attempts: 1": None,
        "attempts: 1000000": None,
    }


DATE = invalid("date must be as 2026-03-29, and exist.")
TIME = invalid("time must be as 14:30 or 14:30:00.")
START = invalid("start must be in the years 1970 to 9999 (UTC).")


def test_appointments_that_cannot_be_are_refused() -> None:
    """Of what PHP would read as some other time, too."""
    well = ["2026-03-29", "14:30", "Europe/Berlin", 1800]
    dates = ["2026-02-31", "2026-2-3", "tomorrow", "29.03.2026", "2026-03-29\n", "", "2026-13-01"]
    times = ["25:00", "24:00", "9:00", "14:60", "14:30:60", "noon", "+1 hour", "14:30\n", "2 pm"]
    place = "is not a place: use one such as Europe/Berlin, or UTC."
    month = 31 * 86_400
    table = [
        (well, None),
        (["2028-02-29", "00:00:00", "US/Eastern", 0, 0, 0], None),
        *(([date, *well[1:]], DATE) for date in dates),
        *(([well[0], time, *well[2:]], TIME) for time in times),
        ([*well[:2], "a'\n\\", 1800], invalid(rf"timeZone 'a\'\n\\' {place}")),
        ([*well[:3], -1], invalid("durationSeconds must not be negative.")),
        ([*well, -1], invalid("earlySeconds must not be negative.")),
        ([*well, 0, -1], invalid("overrunSeconds must not be negative.")),
        ([*well[:3], month, month, month], None),
        ([*well[:3], month + 1], invalid("durationSeconds must be at most 31 days.")),
        ([*well, month + 1], invalid("earlySeconds must be at most 31 days.")),
        ([*well, 0, month + 1], invalid("overrunSeconds must be at most 31 days.")),
        ([*well[:3], 2**63 - 1], invalid("durationSeconds must be at most 31 days.")),
        ([*well, 2**63 - 1, 2**63 - 1], invalid("earlySeconds must be at most 31 days.")),
        (["1970-01-01", "00:00", "UTC", 0], None),
        (["1969-12-31", "23:59:59", "UTC", 0], START),
        (["0001-01-01", "00:00", "Pacific/Apia", 0], START),
        (["9999-12-31", "23:59:59", "UTC", 0], None),
        (["9999-12-31", "23:59:59", "America/New_York", 0], START),
    ]
    script = """namespace {
        $deed = static fn (array $given): ?string => thrown(
            static fn () => JitsiTokens\\Appointment::local(...$given),
        );
        echo json_encode(array_map($deed, $cases));
    }"""

    assert told(script, [given for given, _ in table]) == [message for _, message in table]


ADDRESSES = {
    "holds blanks, control characters or backslashes.": [
        *("https://h i", "https://h/a b", "https://h\\@x", "https://h/\u00a0", "https://h\n/"),
        *("https://h/\u200b", "https://h\x7f"),
    ],
    "must begin with https:// and a host name.": [
        *("", "https://", "https:///x", "h", "h:80", "//h", "https:h", "https:/h", "ftp://h"),
        *("https:///api/jitsi/jwt", "'https://h'"),
    ],
    "is malformed.": [
        *("https://h:", "https://h:/x", "https://[::1]:", "https://h:0", "https://h:65536"),
        *("https://h:x", "https://h:+8", "https://h:\uff18", "https://h:99999999999999999999"),
        *("https://h,i", "https://h;i", "https://h!", "https://h%41", "https://h_i", "https://h]"),
        *("https://256.1.1.1", "http://127.0.0.01", "http://127.0.0.256", "https://h:1:2"),
        *("https://[::g]", "https://[::1", "https://[1.2.3.4]", "https://[::1]x", "https://[]"),
        *("https://[fe80::1%25eth0]", "https://h..i", "https://.", "https://.h"),
        "https://\uff11.example",
    ],
    "holds a user name or password: leave them out.": [
        *("https://u@h", "https://@h", "http://u:p@h", "https://u:p@[::1]:1/x"),
        "http://localhost@h",
    ],
    "must end with its path: leave out what follows ? or #.": [
        *(
            "https://h?",
            "https://h#",
            "https://h/x?y=/",
            "https://h/#x",
            "https://h/API/jitsi/jwt?",
        ),
        "https://h/api/jitsi/jwt/x#",
    ],
    "must be https: it would show the API key to others.": [
        *("http://h", "HTTP://h", "http://127.1", "http://2130706433", "http://127.0.0.1.example"),
        *("http://0.0.0.0", "http://localhost.", "http://localhost.example", "http://128.0.0.1"),
        *("http://[::ffff:127.0.0.1]", "http://[::2]", "http://h/api/jitsi/jwt"),
    ],
}
GOOD_ADDRESSES = {
    "https://H.Example": "h.example",
    "HTTPS://h:8443/v1/": "h",
    "https://h:65535//": "h",
    "https://h/a@b:c": "h",
    "https://b\u00fccher.example": "b\u00fccher.example",
    "https://[2001:DB8::1]:443": "2001:db8::1",
    "https://10.0.0.1": "10.0.0.1",
    "https://h.example.": "h.example.",
    "https://127.1": "127.1",
    "http://LOCALHOST:3000": "localhost",
    "http://127.255.0.9": "127.255.0.9",
    "http://[::1]:9": "::1",
    "http://[0:0:0:0:0:0:0:1]": "0:0:0:0:0:0:0:1",
}


def in_python(text: str) -> list[str] | str:
    """Return the URL and the host that the Python client reads, or the refusal."""
    try:
        return list(read_address(text))
    except ConfigurationError as error:
        return str(error)


def test_an_address_is_read_strictly_and_alike() -> None:
    """What two parsers may read as two hosts is none."""
    begin = "The service's address (JITSI_TOKENS_URL) "
    expected: dict[str, Any] = {
        text: begin + flaw for flaw, texts in ADDRESSES.items() for text in texts
    }
    expected |= {text: [text.rstrip("/"), host] for text, host in GOOD_ADDRESSES.items()}
    in_php = told(
        """namespace {
            $read = JitsiTokens\\Internal\\Address::read(...);
            echo json_encode(array_map(
                static fn (string $text) => thrown(fn () => $read($text)) ?? $read($text),
                $cases,
            ));
        }""",
        list(expected),
    )

    assert {text: in_python(text) for text in expected} == expected
    thrown = "JitsiTokens\\ConfigurationException: "
    assert dict(zip(expected, in_php, strict=True)) == {
        text: thrown + found if isinstance(found, str) else found
        for text, found in expected.items()
    }


def test_half_a_character_is_not_sent() -> None:
    """json_encode() refuses it; the message does not repeat the value."""
    refusal = told(
        """namespace { echo json_encode(thrown(
            static fn () => JitsiTokens\\Internal\\HttpRequest::json(['userName' => "a\\xff"]),
        )); }"""
    )

    assert refusal == (
        "JitsiTokens\\InvalidRequestException: The request is not sent:"
        " /userName must hold whole Unicode characters only."
    )


def test_an_array_is_a_list_or_an_object_as_the_contract_has_it() -> None:
    """PHP has one kind of array: filtered participants have gaps, and no features are empty."""
    sent = told(
        """namespace {
            $visit = ['participants' => [2 => ['userName' => 'Anna', 'features' => []]]];
            echo JitsiTokens\\Internal\\HttpRequest::json(
                JitsiTokens\\Internal\\VisitRequest::visit($visit),
            );
        }"""
    )

    assert sent == {"participants": [{"userName": "Anna", "features": {}}]}


def test_the_drop_in_finds_composers_loader(tmp_path: Path) -> None:
    """In the folder of packages, by whatever name, or in the project's `vendor`."""
    folders = [tmp_path / name / "packages" / "jitsi-tokens" / "client" for name in ("a", "b")]
    for folder in folders:
        folder.mkdir(parents=True)
        shutil.copy(CLIENT / SCRIPT, folder)
    loader = f"<?php return require '{CLIENT}/autoload.php';"
    (tmp_path / "a" / "packages" / "autoload.php").write_text(loader)
    (tmp_path / "b" / "vendor").mkdir()
    (tmp_path / "b" / "vendor" / "autoload.php").write_text(loader)

    with UnrulyServer(WELL) as server:
        variables = {"JITSI_TOKENS_URL": server.url, "JITSI_TOKENS_API_KEY": API_KEY}
        for folder in folders:
            finished = php(str(folder / SCRIPT), "room", "name", "", **variables)
            assert finished.returncode == 0, finished.stderr
            assert not finished.stderr


def test_the_drop_in_without_a_loader_says_so(tmp_path: Path) -> None:
    """In one line where it is run, by an exception where it is included."""
    shutil.copy(CLIENT / SCRIPT, tmp_path)
    run = php(str(tmp_path / SCRIPT), "--help")
    included = php(
        text=f"""<?php
            try {{
                require '{tmp_path / SCRIPT}';
            }} catch (RuntimeException $error) {{
                echo $error->getMessage();
            }}"""
    )

    message = f"{SCRIPT} needs autoload.php and src beside it."
    assert (run.returncode, run.stdout, run.stderr) == (1, "", f"{message}\n")
    assert included.stdout == message
    assert not included.stderr
