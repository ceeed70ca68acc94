<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\Secret;

/** What is sent. */
final class HttpRequest
{
    private const USER_AGENT = 'jitsi-tokens-php/0.1.0';

    /** @param ?Secret $body JSON; without one it is a GET */
    public function __construct(
        public readonly string $url,
        private readonly ?Secret $apiKey = null,
        public readonly ?Secret $body = null,
    ) {
    }

    public function method(): string
    {
        return $this->body === null ? 'GET' : 'POST';
    }

    /** @return array<string, string> */
    public function headers(): array
    {
        $headers = [
            'Accept' => 'application/json, application/problem+json',
            // What is compressed could not be bounded before it is unpacked.
            'Accept-Encoding' => 'identity',
            'User-Agent' => self::USER_AGENT,
        ];
        if ($this->body !== null) {
            $headers['Content-Type'] = 'application/json';
        }
        if ($this->apiKey !== null) {
            $headers['Authorization'] = "Bearer {$this->apiKey->reveal()}";
        }
        return $headers;
    }
}
