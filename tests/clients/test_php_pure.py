"""The PHP client's parts that need no server, many cases to a start of PHP."""

from __future__ import annotations

import gzip
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from jitsi_tokens_client import ConfigurationError
from jitsi_tokens_client.settings import read_address

from tests.clients import unruly_server as unruly
from tests.clients.php_caller import CLIENT, PhpCaller, php
from tests.clients.samples import API_KEY, MEETING, PATIENT, WELL, settings
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


def test_waits_double_up_to_two_seconds() -> None:
    """All of it by chance: 0 is no wait, 1 the longest."""
    attempts = [1, 2, 3, 4, 5, 6, 100, 1_000_000]
    waits = told(
        """namespace {
            $waits = static fn (float $chance): array => array_map(
                static fn (int $n): float => JitsiTokens\\Internal\\Backoff::seconds($n, $chance),
                $cases,
            );
            echo json_encode([$waits(0.0), $waits(0.5), $waits(1.0)]);
        }""",
        attempts,
    )

    longest = [0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0, 2.0]
    assert waits[0] == [0] * len(attempts)
    assert waits[1] == pytest.approx([wait / 2 for wait in longest])
    assert waits[2] == pytest.approx(longest)


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
            public function send(HttpRequest $request, float $seconds): Answer|Failure
            {
                return $this->retryAfter === null
                    ? Failure::Closed : new Answer(503, '', $this->retryAfter, '');
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
            $attempts->outcome(new Internal\\HttpRequest('https://h.example'));
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
    # The clock stands still: each wait alone has to fit.
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


# As much of PSR-7, -17 and -18 as is used: a test needs no package then.
STUBS = """
    namespace Psr\\Http\\Message {
        interface RequestInterface {}
        interface ResponseInterface {}
        interface RequestFactoryInterface {}
        interface StreamFactoryInterface {}
    }
    namespace Psr\\Http\\Client {
        interface ClientInterface {}
        interface ClientExceptionInterface extends \\Throwable {}
        interface NetworkExceptionInterface extends ClientExceptionInterface {}
        interface RequestExceptionInterface extends ClientExceptionInterface {}
    }
    namespace {
        use JitsiTokens\\Internal\\HttpRequest;
        use JitsiTokens\\Internal\\Psr18Transport;
        use Psr\\Http\\Client;
        use Psr\\Http\\Message;

        final class Network extends Exception implements Client\\NetworkExceptionInterface {}
        final class Request extends Exception implements Client\\RequestExceptionInterface {}
        final class Factory implements
            Message\\RequestFactoryInterface,
            Message\\StreamFactoryInterface,
            Message\\RequestInterface
        {
            public function createRequest(): self { return $this; }
            public function withHeader(): self { return $this; }
        }
        final class Throwing implements Client\\ClientInterface
        {
            public function __construct(private string $class, private string $message) {}
            public function sendRequest(): never { throw new $this->class($this->message); }
        }
        function failure(string $class, string $message): array
        {
            $http = new Throwing($class, $message);
            $transport = new Psr18Transport($http, new Factory(), new Factory());
            $failure = $transport->send(new HttpRequest('https://h.example'), 8.0);
            return [$failure->name, $failure->isTransient()];
        }
        echo json_encode(array_map(static fn (array $case): array => failure(...$case), $cases));
    }"""


def test_what_an_http_client_throws_is_sorted() -> None:
    """By its words, else by its kind; a certificate and an error of code are not tried again."""
    certificate, unexpected = ["Certificate", False], ["HttpClient", False]
    table = [
        ("Network", "cURL error 60: unable to get local issuer (see …)", certificate),
        ("Request", "cURL error 51: SSL: no alternative certificate subject name", certificate),
        ("Request", "error:0A000086: certificate verify failed", certificate),
        ("Network", "cURL error 28: Operation timed out after 8001 ms", ["TimedOut", True]),
        ("Network", "Connection timed out", ["TimedOut", True]),
        ("Network", "cURL error 6: Could not resolve host: h.example", ["NotResolved", True]),
        ("Network", "cURL error 5: Could not resolve proxy: p", ["NotResolved", True]),
        ("Network", "cURL error 7: Failed to connect to h.example", ["NotConnected", True]),
        ("Network", "", ["NotConnected", True]),
        ("Request", "cURL error 56: Connection reset by peer", ["Closed", True]),
        ("Request", "cURL error 52: Empty reply", ["Closed", True]),
        ("Error", "certificate verify failed, timed out", unexpected),
        ("TypeError", "", unexpected),
        ("RuntimeException", "cURL error 28", unexpected),
    ]

    assert told(STUBS, [row[:2] for row in table]) == [row[2] for row in table]


MALFORMED = "is malformed."
UNPRINTABLE = "holds blanks, control characters or backslashes."
OPENING = "must begin with https:// and a host name."
USER = "holds a user name or password: leave them out."
REST = "must end with its path: leave out what follows ? or #."
OPEN = "must be https: it would show the API key to others."
ADDRESSES = {
    **dict.fromkeys(
        [
            *("https://h:", "https://h:0", "https://h:65536", "https://h:99999999999999999999"),
            *("https://h,i", "https://h;i", "https://h!", "https://h%41", "https://h:x"),
            *(
                "https://256.1.1.1",
                "http://256.1.1.1",
                "http://127.0.0.01",
                "https://\uff11.example",
            ),
            *("https://[::g]", "https://[::1", "https://[1.2.3.4]", "https://[::1]x", "https://h]"),
            *(
                "https://[fe80::1%25eth0]",
                "https://[]",
                "http://127.0.0.256",
                "https://h:1:2",
                "https://h_i",
            ),
            *("https://h..i", "https://.", "https://.h"),
        ],
        MALFORMED,
    ),
    **dict.fromkeys(
        ["https://h i", "https://h\\@x", "https://h/\u00a0", "https://h\n", "https://h/\u200b"],
        UNPRINTABLE,
    ),
    **dict.fromkeys(
        ["", "https://", "https:///x", "h", "h:80", "//h", "https:h", "https:/h", "ftp://h"],
        OPENING,
    ),
    **dict.fromkeys(["https://u@h", "https://@h", "http://u:p@h", "https://u:p@[::1]:1/x"], USER),
    **dict.fromkeys(["https://h?", "https://h#", "https://h/x?y=/", "https://h/#x"], REST),
    **dict.fromkeys(
        [
            *("http://h", "http://127.1", "http://2130706433", "http://127.0.0.1.example"),
            *("http://localhost.", "http://[::ffff:127.0.0.1]", "http://[::2]", "http://128.0.0.1"),
            *("http://localhost.example", "HTTP://h"),
        ],
        OPEN,
    ),
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
    "http://[::0.0.0.1]": "::0.0.0.1",
}


def in_python(text: str) -> list[str] | str:
    """Return where the Python client sends, and the host that it names, or the refusal."""
    try:
        url, host = read_address(text)
    except ConfigurationError as error:
        return str(error)
    return [f"{url}/api/jitsi/jwt", host]


def test_an_address_is_read_strictly_and_alike() -> None:
    """What two parsers may read as two hosts is none."""
    in_php = told(
        """namespace {
            $flaws = [];
            foreach ($cases as $text) {
                $address = new JitsiTokens\\Internal\\Address($text);
                $flaws[] = thrown($address->endpoint(...))
                    ?? [$address->endpoint(), $address->host()];
            }
            echo json_encode($flaws);
        }""",
        [*ADDRESSES, *GOOD_ADDRESSES],
    )

    begin = "The service's address (JITSI_TOKENS_URL) "
    expected: dict[str, Any] = {text: begin + flaw for text, flaw in ADDRESSES.items()}
    for text, host in GOOD_ADDRESSES.items():
        expected[text] = [f"{text.rstrip('/')}/api/jitsi/jwt", host]
    assert {text: in_python(text) for text in expected} == expected
    thrown = "JitsiTokens\\ConfigurationException: "
    assert dict(zip(expected, in_php, strict=True)) == {
        text: thrown + found if isinstance(found, str) else found
        for text, found in expected.items()
    }


# An error handler that throws, as frameworks have it, and what was thrown or is left of it.
FILES = """namespace {
    set_error_handler(static fn (int $_, string $text): never => throw new Exception($text));
    $values = [];
    foreach ($cases as $path) {
        putenv("X_FILE={$path}");
        $variable = new JitsiTokens\\Internal\\Variable('X');
        $values[] = thrown($variable->value(...)) ?? strlen($variable->value());
    }
    try {
        trigger_error('mine');
    } catch (Exception $error) {
        $values[] = $error->getMessage();
    }
    echo json_encode([...$values, error_get_last()]);
}"""


def test_a_file_of_a_variable_is_whole_or_refused(tmp_path: Path) -> None:
    """What is beyond 16 KiB is not cut off in silence."""
    contents = {"full": "x" * 16_384, "long": "x" * 16_385, "blank": " \n", "line": "key\r\n"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content.encode())
    paths = [str(tmp_path / name) for name in [*contents, "", "missing"]]

    begin = "JitsiTokens\\ConfigurationException: The file that X_FILE names"
    assert told(FILES, paths) == [
        *(16_384, f"{begin} is longer than 16 KiB.", f"{begin} is empty.", 3),
        *(f"{begin} cannot be read.", f"{begin} cannot be read."),
        *("mine", None),
    ]


def test_a_key_in_a_paths_place_is_in_no_warning(tmp_path: Path) -> None:
    """Where PHP may open some folders alone, it warns of other paths, and names them."""
    (tmp_path / "key").write_text("key")
    script = tmp_path / "script.php"
    script.write_text(
        f"""<?php
        require '{CLIENT}/autoload.php';
        set_error_handler(static fn (int $_, string $text): bool => (bool) print("$text\\n"));
        foreach (['{API_KEY}', '/{API_KEY}', '{tmp_path}/key'] as $path) {{
            putenv("X_FILE={{$path}}");
            try {{
                echo (new JitsiTokens\\Internal\\Variable('X'))->value(), "\\n";
            }} catch (Exception $error) {{
                echo $error, "\\n";
            }}
        }}
        var_dump(error_get_last());"""
    )
    finished = php("-d", f"open_basedir={tmp_path}:{CLIENT}", str(script))

    assert finished.returncode == 0, finished.stderr
    assert not finished.stderr
    assert finished.stdout.count("The file that X_FILE names cannot be read.") == 2
    assert finished.stdout.endswith("\nkey\nNULL\n")
    assert "open_basedir" not in finished.stdout
    assert API_KEY not in finished.stdout


@pytest.mark.parametrize("transport", ["curl", "guzzle"])
def test_an_answer_that_is_encoded_is_not_the_services(transport: str) -> None:
    """Nobody asked for that, and it may unpack to any size; asked once, and at once."""
    encoded = gzip.compress(json.dumps(MEETING).encode())
    deed = unruly.answer(200, encoded, Content_Encoding="gzip")
    identity = unruly.answer(200, json.dumps(MEETING), Content_Encoding="Identity")
    with UnrulyServer(deed) as server, UnrulyServer(identity) as other:
        outcome = PhpCaller(transport).issue(settings(server), **PATIENT)
        plain = PhpCaller(transport).issue(settings(other), **PATIENT)

        assert outcome.values["message"] == (
            "127.0.0.1 answered HTTP 200 with what is not the service's, too long or encoded:"
            " is the address right?"
        )
        assert len(server.received) == 1
        assert plain.kind == "meeting", plain


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
