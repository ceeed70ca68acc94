<?php

declare(strict_types=1);

namespace JitsiTokens;

use DateTimeImmutable;
use DateTimeInterface;
use DateTimeZone;
use Exception;
use InvalidArgumentException;

/** The time for which a token is to work: an appointment, and some time before and after. */
final class Appointment
{
    private const LONGEST_SECONDS = 31 * 86_400;
    private const LAST_START = 253_402_300_799;
    private const NO_PLACES = ['Factory', 'localtime', 'posixrules'];

    /** Epoch seconds. */
    public readonly int $notBefore;

    /** How long the token works from notBefore on. */
    public readonly int $expirationSeconds;

    /**
     * @param int $earlySeconds   how long before the start one may enter
     * @param int $overrunSeconds how long after the planned end the token still works
     *
     * @throws InvalidArgumentException a length is negative or over 31 days, or the start is not
     *                                  in the years 1970 to 9999
     */
    public function __construct(
        DateTimeInterface $start,
        int $durationSeconds,
        int $earlySeconds = 900,
        int $overrunSeconds = 1800,
    ) {
        $lengths = compact('durationSeconds', 'earlySeconds', 'overrunSeconds');
        foreach ($lengths as $name => $seconds) {
            if ($seconds < 0) {
                throw new InvalidArgumentException("{$name} must not be negative.");
            }
            if ($seconds > self::LONGEST_SECONDS) {
                throw new InvalidArgumentException("{$name} must be at most 31 days.");
            }
        }
        $at = $start->getTimestamp();
        if ($at < 0 || $at > self::LAST_START) {
            throw new InvalidArgumentException('start must be in the years 1970 to 9999 (UTC).');
        }
        $this->notBefore = $at - $earlySeconds;
        $this->expirationSeconds = $earlySeconds + $durationSeconds + $overrunSeconds;
    }

    /**
     * An appointment as a calendar shows it.
     *
     * A time that a change to daylight-saving time skips is read with the offset before the
     * change; of a time that comes twice the first is meant (RFC 5545, section 3.3.5).
     *
     * @param string $date     "2026-03-29"
     * @param string $time     "14:30" or "14:30:00"
     * @param string $timeZone "Europe/Berlin", or "UTC", in any case of letters
     *
     * @throws InvalidArgumentException no such date or time, or no place; else as the constructor
     */
    public static function local(
        string $date,
        string $time,
        string $timeZone,
        int $durationSeconds,
        int $earlySeconds = 900,
        int $overrunSeconds = 1800,
    ): self {
        $reading = self::asUtc($date, $time);
        $zone = self::zone($timeZone);
        $offset = static fn (int $at): int => $zone->getOffset(new DateTimeImmutable("@{$at}"));
        $before = $offset($reading - 86_400);
        $after = $offset($reading + 86_400);
        $isBefore = $offset($reading - $before) === $before;
        $isAfter = $offset($reading - $after) === $after;
        $start = $reading - (!$isBefore && $isAfter ? $after : $before);
        return new self(
            new DateTimeImmutable("@{$start}"),
            $durationSeconds,
            $earlySeconds,
            $overrunSeconds,
        );
    }

    private static function asUtc(string $date, string $time): int
    {
        $day = preg_match('/^(\d{4})-(\d\d)-(\d\d)$/D', $date, $d) === 1
            && checkdate((int) $d[2], (int) $d[3], (int) $d[1]);
        if (!$day) {
            throw new InvalidArgumentException('date must be as 2026-03-29, and exist.');
        }
        if (preg_match('/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/D', $time) !== 1) {
            throw new InvalidArgumentException('time must be as 14:30 or 14:30:00.');
        }
        return (new DateTimeImmutable("{$date}T{$time}Z"))->getTimestamp();
    }

    private static function zone(string $name): DateTimeZone
    {
        foreach (DateTimeZone::listIdentifiers(DateTimeZone::ALL_WITH_BC) as $known) {
            if (strcasecmp($known, $name) === 0 && self::isPlace($known)) {
                return new DateTimeZone($known);
            }
        }
        $shown = addcslashes($name, "\0..\37\177'\\");
        throw new InvalidArgumentException(
            "timeZone '{$shown}' is not a place: use one such as Europe/Berlin, or UTC.",
        );
    }

    private static function isPlace(string $known): bool
    {
        if (in_array($known, self::NO_PLACES, true)) {
            return false;
        }
        try {
            // PHP reads "CET" as an abbreviation, without daylight-saving time. An abbreviation has
            // no location.
            return $known === 'GMT' || (new DateTimeZone($known))->getLocation() !== false;
        } catch (Exception) {
            // Debian's PHP also lists files that hold no zone, such as tzdata.zi.
            return false;
        }
    }
}
