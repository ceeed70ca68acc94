<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\Limits;

/** Sends a request until there is an answer, or time or attempts are used up. */
final class Attempts
{
    private const SHORTEST_ATTEMPT_SECONDS = 0.001;
    private const CHANCES = 1_000_000;

    public function __construct(
        private readonly Transport $transport,
        private readonly Limits $limits,
    ) {
    }

    public function outcome(HttpRequest $request): Answer|Failure
    {
        $end = self::now() + $this->limits->totalSeconds;
        for ($attempt = 1; ; $attempt++) {
            $left = max(self::SHORTEST_ATTEMPT_SECONDS, $end - self::now());
            $outcome = $this->transport->send($request, min($this->limits->attemptSeconds, $left));
            if (!$outcome->isTransient() || $attempt >= $this->limits->attempts) {
                return $outcome;
            }
            $wait = Backoff::seconds($attempt, random_int(0, self::CHANCES) / self::CHANCES);
            $wait += $outcome instanceof Answer ? $outcome->retryAfterSeconds ?? 0 : 0;
            if (self::now() + $wait >= $end) {
                return $outcome;
            }
            usleep((int) ($wait * 1e6));
        }
    }

    /** Seconds of a clock that nobody sets. */
    private static function now(): float
    {
        return hrtime(true) / 1e9;
    }
}
