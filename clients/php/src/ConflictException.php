<?php

declare(strict_types=1);

namespace JitsiTokens;

/** What the visit is does not allow this, or not now (409). */
final class ConflictException extends JitsiTokensException
{
    /**
     * @param ?string $kind    'superseded', 'too-early', 'waiting-for-moderator', 'visit-over',
     *                         'visit-cancelled', or another end of the problem's type
     * @param ?int    $opensAt when the visit opens, in epoch seconds, where the service says so
     */
    public function __construct(
        string $message,
        ?int $status = null,
        public readonly ?string $kind = null,
        public readonly ?int $opensAt = null,
    ) {
        parent::__construct($message, $status);
    }
}
