<?php

declare(strict_types=1);

namespace JitsiTokens;

/** The base of every exception of this package. No message holds a key, token or link. */
abstract class JitsiTokensException extends \RuntimeException
{
    /**
     * @param ?int    $status            the HTTP status of the answer; null without an answer
     * @param ?string $field             a JSON pointer to the field at fault, such as "/roomName"
     * @param ?int    $retryAfterSeconds how long the service asks to wait (Retry-After)
     */
    public function __construct(
        string $message,
        public readonly ?int $status = null,
        public readonly ?string $field = null,
        public readonly ?int $retryAfterSeconds = null,
    ) {
        parent::__construct($message);
    }
}
