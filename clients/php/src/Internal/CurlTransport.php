<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use CurlHandle;

/** Sends by libcurl. */
final class CurlTransport implements Transport
{
    private const FAILURES = [
        CURLE_COULDNT_RESOLVE_PROXY => Failure::NotResolved,
        CURLE_COULDNT_RESOLVE_HOST => Failure::NotResolved,
        CURLE_COULDNT_CONNECT => Failure::NotConnected,
        CURLE_OPERATION_TIMEOUTED => Failure::TimedOut,
        CURLE_SSL_CONNECT_ERROR => Failure::NotConnected,
        CURLE_SSL_PEER_CERTIFICATE => Failure::Certificate,
        CURLE_SSL_CACERT => Failure::Certificate,
        CURLE_SSL_CACERT_BADFILE => Failure::Certificate,
    ];

    /**
     * Handles of processes that this one was forked from. Their connections are shared with those
     * processes, and destroying a handle says over its connection that TLS ends.
     *
     * @var list<CurlHandle>
     */
    private static array $inherited = [];

    /** Kept for its connection, which further requests use again. */
    private ?CurlHandle $handle = null;

    /** The process that made the handle. */
    private int $process = 0;

    public function __construct(private readonly float $connectSeconds)
    {
    }

    public function send(HttpRequest $request, float $seconds): Answer|Failure
    {
        $curl = $this->ownHandle();
        if ($curl === null) {
            return Failure::HttpClient;
        }
        $reception = new Reception();
        $isSet = curl_setopt_array($curl, $this->options($request, $seconds) + [
            CURLOPT_WRITEFUNCTION => self::bodyReader($reception),
            CURLOPT_HEADERFUNCTION => self::headReader($reception),
        ]);
        if (!$isSet) {
            // Those after the refused one are not set either: limits, verification, callbacks.
            curl_reset($curl);
            return Failure::HttpClient;
        }
        curl_exec($curl);
        $error = curl_errno($curl);
        $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
        // The connection stays; the API key and the body do not.
        curl_reset($curl);
        if ($error !== CURLE_OK && !$reception->isForeign()) {
            return self::FAILURES[$error] ?? Failure::Closed;
        }
        return $reception->answer($status);
    }

    /** A handle of this process: over a connection shared with others come their answers too. */
    private function ownHandle(): ?CurlHandle
    {
        // Some hosters disable the function; there nothing forks either.
        $process = function_exists('getmypid') ? (int) getmypid() : 0;
        if ($this->handle !== null && $this->process !== $process) {
            self::$inherited[] = $this->handle;
            $this->handle = null;
        }
        $this->process = $process;
        return $this->handle ??= curl_init() ?: null;
    }

    /** @return array<int, mixed> */
    private function options(HttpRequest $request, float $seconds): array
    {
        $secure = str_starts_with(strtolower($request->url), 'https:');
        $headers = ['Expect:'];
        foreach ($request->headers() as $name => $value) {
            $headers[] = "{$name}: {$value}";
        }
        $body = $request->body === null ? [] : [CURLOPT_POSTFIELDS => $request->body->reveal()];
        // Without TLS it is this machine, which no proxy reaches.
        $direct = $secure ? [] : [CURLOPT_PROXY => ''];
        return $body + $direct + [
            CURLOPT_URL => $request->url,
            CURLOPT_HTTPHEADER => $headers,
            CURLOPT_PROTOCOLS => $secure ? CURLPROTO_HTTPS : CURLPROTO_HTTP,
            CURLOPT_FOLLOWLOCATION => false,
            CURLOPT_SSL_VERIFYPEER => true,
            CURLOPT_SSL_VERIFYHOST => 2,
            CURLOPT_SSLVERSION => CURL_SSLVERSION_TLSv1_2,
            CURLOPT_CONNECTTIMEOUT_MS => self::milliseconds(min($this->connectSeconds, $seconds)),
            CURLOPT_TIMEOUT_MS => self::milliseconds($seconds),
            CURLOPT_NOSIGNAL => true,
            CURLOPT_SUPPRESS_CONNECT_HEADERS => true,
        ];
    }

    private static function bodyReader(Reception $reception): \Closure
    {
        return static function (
            CurlHandle $curl,
            #[\SensitiveParameter] string $chunk,
        ) use ($reception): int {
            $reception->take($chunk);
            // Any other number than the chunk's length ends the transfer.
            return $reception->isForeign() ? 0 : strlen($chunk);
        };
    }

    private static function headReader(Reception $reception): \Closure
    {
        return static function (CurlHandle $curl, string $line) use ($reception): int {
            $reception->takeLine($line);
            return strlen($line);
        };
    }

    private static function milliseconds(float $seconds): int
    {
        // To libcurl 0 is no limit at all.
        return (int) max(1.0, min(2_147_483_647.0, $seconds * 1000));
    }
}
