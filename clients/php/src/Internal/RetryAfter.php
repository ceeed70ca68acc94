<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

/** The header field Retry-After (RFC 9110, section 10.2.3). */
final class RetryAfter
{
    /** RFC 9110, section 5.6.7: the form to send, and two obsolete ones. */
    private const DATES = ['D, d M Y H:i:s \G\M\T', 'l, d-M-y H:i:s \G\M\T', 'D M j H:i:s Y'];

    private const FOR_EVER_SECONDS = 1_000_000_000;

    /** Seconds to wait from now on; null where there is no such field, or one of no sense. */
    public static function seconds(string $field): ?int
    {
        $field = (string) preg_replace('/[ \t]+/', ' ', trim($field));
        if (preg_match('/^-?\d+$/D', $field) === 1) {
            return self::bounded((float) $field);
        }
        foreach (self::DATES as $format) {
            $utc = new \DateTimeZone('UTC');
            $date = \DateTimeImmutable::createFromFormat("!{$format}", $field, $utc);
            if ($date !== false && $date->format($format) === $field) {
                return self::bounded($date->getTimestamp() - time());
            }
        }
        return null;
    }

    private static function bounded(float $seconds): int
    {
        return (int) max(0.0, min(self::FOR_EVER_SECONDS, $seconds));
    }
}
