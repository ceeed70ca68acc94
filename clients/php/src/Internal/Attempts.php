<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\Limits;

/** Sends a request until there is an answer, or time or attempts are used up. */
final class Attempts
{
    private const SHORTEST_ATTEMPT_SECONDS = 0.001;
    private const FIRST_WAIT_SECONDS = 0.2;
    private const LONGEST_WAIT_SECONDS = 2.0;
    private const CHANCES = 1_000_000;

    public function __construct(
        private readonly Transport $transport,
        private readonly Limits $limits,
    ) {
    }

    public function outcome(string $url, HttpRequest $request): Answer|Failure
    {
        $end = self::now() + $this->limits->totalSeconds;
        for ($attempt = 1; ; $attempt++) {
            $left = max(self::SHORTEST_ATTEMPT_SECONDS, $end - self::now());
            $seconds = min($this->limits->attemptSeconds, $left);
            $outcome = $this->transport->send($url, $request, $seconds);
            $mayPass = $outcome->isTransient()
                && ($request->isRepeatable || $outcome instanceof Answer);
            if (!$mayPass || $attempt >= $this->limits->attempts) {
                return $outcome;
            }
            // Full jitter: callers that failed together do not come back together.
            $doubled = self::FIRST_WAIT_SECONDS * 2.0 ** ($attempt - 1);
            $chance = random_int(0, self::CHANCES) / self::CHANCES;
            $wait = $chance * min(self::LONGEST_WAIT_SECONDS, $doubled);
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
