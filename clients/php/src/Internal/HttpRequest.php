<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\InvalidRequestException;
use JitsiTokens\Secret;

/** One request; the path follows the service's address. */
final class HttpRequest
{
    /**
     * @param ?string $body         JSON
     * @param bool    $isRepeatable whether it may be sent again while an earlier attempt may be
     *                              under way
     */
    public function __construct(
        public readonly string $method,
        public readonly string $path,
        #[\SensitiveParameter] public readonly ?string $body = null,
        public readonly ?Secret $apiKey = null,
        public readonly bool $isRepeatable = true,
    ) {
    }

    /**
     * The JSON of a document.
     *
     * @param array<string, mixed> $document
     *
     * @throws InvalidRequestException a string is not UTF-8
     */
    public static function json(#[\SensitiveParameter] array $document): string
    {
        foreach ($document as $name => $value) {
            if (json_encode($value) === false) {
                throw new InvalidRequestException(
                    "The request is not sent: /{$name} must hold whole Unicode characters only.",
                    field: "/{$name}",
                );
            }
        }
        return (string) json_encode((object) $document, JSON_UNESCAPED_SLASHES);
    }

    /** @return array<string, string> */
    public function headers(): array
    {
        $headers = [
            'Accept' => 'application/json, application/problem+json',
            // What is compressed could not be bounded before it is unpacked.
            'Accept-Encoding' => 'identity',
            'User-Agent' => 'jitsi-tokens-php/0.1.0',
        ];
        if ($this->body !== null) {
            $headers['Content-Type'] = 'application/json';
        } elseif ($this->method === 'POST') {
            // curl adds it only to a body (RFC 9110, section 8.6).
            $headers['Content-Length'] = '0';
        }
        if ($this->apiKey !== null) {
            $headers['Authorization'] = "Bearer {$this->apiKey->reveal()}";
        }
        return $headers;
    }
}
