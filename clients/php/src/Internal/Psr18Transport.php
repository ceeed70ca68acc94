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

    public function send(string $url, HttpRequest $request, float $seconds): Answer|Failure
    {
        // What is thrown here holds the request, with the API key: nothing of it goes on.
        try {
            return self::received($this->http->sendRequest($this->message($url, $request)));
        } catch (ClientExceptionInterface $error) {
            return self::failure($error);
        } catch (\Throwable) {
            return Failure::HttpClient;
        }
    }

    private function message(string $url, HttpRequest $request): RequestInterface
    {
        $message = $this->requests->createRequest($request->method, $url . $request->path);
        foreach ($request->headers() as $name => $value) {
            $message = $message->withHeader($name, $value);
        }
        return $request->body === null
            ? $message
            : $message->withBody($this->streams->createStream($request->body));
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

    private static function received(ResponseInterface $response): Answer
    {
        $answer = new Answer();
        $answer->status = $response->getStatusCode();
        // Guzzle decodes unasked, and keeps the field by another name.
        $encoding = $response->getHeaderLine('Content-Encoding')
            ?: $response->getHeaderLine('x-encoded-content-encoding');
        $answer->takeField('Content-Encoding', $encoding);
        foreach (['Content-Type', 'Retry-After'] as $name) {
            $answer->takeField($name, $response->getHeaderLine($name));
        }
        $answer->take((string) $response->getBody());
        return $answer;
    }
}
