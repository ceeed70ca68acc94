<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use Psr\Http\Client\ClientExceptionInterface;
use Psr\Http\Client\ClientInterface;
use Psr\Http\Client\NetworkExceptionInterface;
use Psr\Http\Message\RequestFactoryInterface;
use Psr\Http\Message\RequestInterface;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\StreamFactoryInterface;

/** Sends by a client of the application's (PSR-18), whose own time limits hold. */
final class Psr18Transport implements Transport
{
    /** PSR-18 has no codes for these; libcurl and OpenSSL have words. */
    private const WORDS = [
        '/cURL error (51|60)\b|SSL certificate|certificate verify failed/i' => Failure::Certificate,
        '/cURL error 28\b|timed out/i' => Failure::TimedOut,
        '/cURL error (5|6)\b|resolve host/i' => Failure::NotResolved,
    ];

    public function __construct(
        private readonly ClientInterface $http,
        private readonly RequestFactoryInterface $requests,
        private readonly StreamFactoryInterface $streams,
    ) {
    }

    public function send(HttpRequest $request, float $seconds): Answer|Failure
    {
        $end = hrtime(true) + $seconds * 1e9;
        // What is thrown here holds the request, with the API key: nothing of it goes on.
        try {
            $response = $this->http->sendRequest($this->message($request));
            return self::received($response, $end);
        } catch (ClientExceptionInterface $error) {
            return self::failure($error);
        } catch (\Throwable) {
            return Failure::HttpClient;
        }
    }

    private function message(HttpRequest $request): RequestInterface
    {
        $message = $this->requests->createRequest($request->method(), $request->url);
        foreach ($request->headers() as $name => $value) {
            $message = $message->withHeader($name, $value);
        }
        if ($request->body === null) {
            return $message;
        }
        return $message->withBody($this->streams->createStream($request->body->reveal()));
    }

    private static function failure(ClientExceptionInterface $error): Failure
    {
        foreach (self::WORDS as $words => $failure) {
            if (preg_match($words, $error->getMessage()) === 1) {
                return $failure;
            }
        }
        $network = $error instanceof NetworkExceptionInterface;
        return $network ? Failure::NotConnected : Failure::Closed;
    }

    private static function received(ResponseInterface $response, float $end): Answer|Failure
    {
        $reception = new Reception();
        // Guzzle decodes unasked, and keeps the field by another name.
        $encoding = $response->getHeaderLine('Content-Encoding')
            ?: $response->getHeaderLine('x-encoded-content-encoding');
        $reception->takeField('Content-Encoding', $encoding);
        foreach (['Content-Type', 'Retry-After'] as $name) {
            $reception->takeField($name, $response->getHeaderLine($name));
        }
        $stream = $response->getBody();
        try {
            while (!$reception->isForeign() && !$stream->eof()) {
                $chunk = $stream->read(8192);
                $reception->take($chunk);
                if (hrtime(true) > $end) {
                    return Failure::TimedOut;
                }
                if ($chunk === '') {
                    break;
                }
            }
        } catch (\RuntimeException) {
            return Failure::Closed;
        }
        $length = $response->getHeaderLine('Content-Length');
        $cut = !$reception->isForeign() && preg_match('/^\d{1,18}$/D', $length) === 1
            && $reception->bodyBytes() < (int) $length;
        return $cut ? Failure::Closed : $reception->answer($response->getStatusCode());
    }
}
