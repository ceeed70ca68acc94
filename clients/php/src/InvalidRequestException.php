<?php

declare(strict_types=1);

namespace JitsiTokens;

/** What was asked for breaks a rule; refused here (no status) or by the service. */
final class InvalidRequestException extends JitsiTokensException
{
    /** @param ?string $field a JSON pointer such as "/userEmail", where one field is at fault */
    public function __construct(
        string $message,
        ?int $status = null,
        public readonly ?string $field = null,
    ) {
        parent::__construct($message, $status);
    }
}
