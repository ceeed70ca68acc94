<?php

declare(strict_types=1);

namespace JitsiTokens;

/** How long a call may take, whatever the server does. */
final class Limits
{
    private const DAY_SECONDS = 86_400;

    /**
     * @param float $connectSeconds to a connection, TLS included
     * @param float $attemptSeconds one attempt, connecting included
     * @param float $totalSeconds   the call, with all attempts and the waits between them
     * @param int   $attempts       all attempts together
     *
     * @throws \InvalidArgumentException a number is not over 0, or a time is over a day
     */
    public function __construct(
        public readonly float $connectSeconds = 3.0,
        public readonly float $attemptSeconds = 8.0,
        public readonly float $totalSeconds = 20.0,
        public readonly int $attempts = 4,
    ) {
        foreach (['connectSeconds', 'attemptSeconds', 'totalSeconds'] as $name) {
            // Nothing is true of NAN.
            if (!($this->$name > 0 && $this->$name <= self::DAY_SECONDS)) {
                $most = self::DAY_SECONDS;
                throw new \InvalidArgumentException("{$name} must be over 0, and at most {$most}.");
            }
        }
        if ($attempts < 1) {
            throw new \InvalidArgumentException('attempts must be a whole number, 1 or more.');
        }
    }
}
