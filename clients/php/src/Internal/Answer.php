<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\Secret;

/** What was answered: a whole HTTP response. */
final class Answer
{
    private const TRANSIENT = [429, 502, 503, 504];

    public readonly string $mediaType;

    /** Null where it is too long, or encoded: then it is not the service's. */
    public readonly ?Secret $body;

    public function __construct(
        public readonly int $status,
        string $contentType,
        public readonly ?int $retryAfterSeconds,
        #[\SensitiveParameter] ?string $body,
    ) {
        $this->mediaType = strtolower(trim(explode(';', $contentType)[0]));
        $this->body = $body === null ? null : new Secret($body);
    }

    /** @return array<mixed> the JSON object in the body, empty where there is none */
    public function document(): array
    {
        // Not as arrays: {"0": …} would be a list then.
        $document = json_decode((string) $this->body?->reveal());
        return $document instanceof \stdClass ? get_object_vars($document) : [];
    }

    public function isTransient(): bool
    {
        return in_array($this->status, self::TRANSIENT, true);
    }
}
