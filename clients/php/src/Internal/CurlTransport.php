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

    /** Kept for its connection, which further requests use again. */
    private ?CurlHandle $handle = null;

    /** The process that made the handle. */
    private int $process = 0;

    public function __construct(private readonly float $connectSeconds)
    {
    }

    public function send(string $url, HttpRequest $request, float $seconds): Answer|Failure
    {
        $curl = $this->ownHandle();
        $answer = new Answer();
        $isSet = curl_setopt_array($curl, $this->options($url, $request, $seconds) + [
            CURLOPT_HEADERFUNCTION => static function ($_, string $line) use ($answer): int {
                $answer->takeLine($line);
                return strlen($line);
            },
            CURLOPT_WRITEFUNCTION => static function ($_, string $chunk) use ($answer): int {
                $answer->take($chunk);
                // Any other number than the chunk's length ends the transfer.
                return $answer->isForeign() ? 0 : strlen($chunk);
            },
        ]);
        if (!$isSet) {
            // Those after the refused one are not set either: limits, verification, callbacks.
            curl_reset($curl);
            return Failure::HttpClient;
        }
        curl_exec($curl);
        $error = curl_errno($curl);
        $answer->status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
        // The connection stays; the API key and the body do not.
        curl_reset($curl);
        if ($error !== CURLE_OK && !$answer->isForeign()) {
            return self::FAILURES[$error] ?? Failure::Closed;
        }
        return $answer;
    }

    /** A handle of this process: over a connection shared with others come their answers too. */
    private function ownHandle(): CurlHandle
    {
        // Some hosters disable the function; there nothing forks either.
        $process = function_exists('getmypid') ? (int) getmypid() : 0;
        if ($this->handle === null || $this->process !== $process) {
            $this->handle = curl_init();
            $this->process = $process;
        }
        return $this->handle;
    }

    /** @return array<int, mixed> */
    private function options(string $url, HttpRequest $request, float $seconds): array
    {
        $secure = stripos($url, 'https:') === 0;
        $headers = ['Expect:'];
        foreach ($request->headers() as $name => $value) {
            $headers[] = "{$name}: {$value}";
        }
        $body = $request->body === null ? [] : [CURLOPT_POSTFIELDS => $request->body];
        // Without TLS it is this machine, which no proxy reaches.
        $direct = $secure ? [] : [CURLOPT_PROXY => ''];
        return $body + $direct + [
            CURLOPT_CUSTOMREQUEST => $request->method,
            CURLOPT_URL => $url . $request->path,
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

    private static function milliseconds(float $seconds): int
    {
        // To libcurl 0 is no limit at all.
        return (int) max(1.0, min(2_147_483_647.0, $seconds * 1000));
    }
}
