<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

/** How long to wait before another attempt, where the service does not say so. */
final class Backoff
{
    private const FIRST_SECONDS = 0.2;
    private const LONGEST_SECONDS = 2.0;

    /**
     * Full jitter: callers that failed together do not come back together.
     *
     * @param int   $attempts how many there have been
     * @param float $chance   a random number, uniform in [0, 1]
     */
    public static function seconds(int $attempts, float $chance): float
    {
        return $chance * min(self::LONGEST_SECONDS, self::FIRST_SECONDS * 2.0 ** ($attempts - 1));
    }
}
