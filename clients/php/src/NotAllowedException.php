<?php

declare(strict_types=1);

namespace JitsiTokens;

/** The client's policy, or something before the service, does not allow this (403). */
final class NotAllowedException extends JitsiTokensException
{
    /** @param ?string $field a JSON pointer such as "/isModerator", where one field is at fault */
    public function __construct(
        string $message,
        ?int $status = null,
        public readonly ?string $field = null,
    ) {
        parent::__construct($message, $status);
    }
}
