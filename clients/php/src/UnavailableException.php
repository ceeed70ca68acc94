<?php

declare(strict_types=1);

namespace JitsiTokens;

/** No answer to be had now, after all retries that fit into the limits. */
final class UnavailableException extends JitsiTokensException
{
    /** @param ?int $retryAfterSeconds how long the service asks to wait, where it says so */
    public function __construct(
        string $message,
        ?int $status = null,
        public readonly ?int $retryAfterSeconds = null,
    ) {
        parent::__construct($message, $status);
    }
}
