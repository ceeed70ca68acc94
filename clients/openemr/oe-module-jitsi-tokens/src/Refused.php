<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

/** Somebody may not do this, or not now. The message is for them. */
final class Refused extends \RuntimeException
{
    public function __construct(
        public readonly int $status,
        string $sentence,
        public readonly ?int $retryAfterSeconds = null,
    ) {
        parent::__construct($sentence);
    }
}
