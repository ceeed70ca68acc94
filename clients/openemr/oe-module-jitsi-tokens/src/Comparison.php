<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

use JitsiTokens\Client;
use JitsiTokens\ConflictException;
use JitsiTokens\InvalidRequestException;
use JitsiTokens\NotFoundException;

/** Makes the visits of the service what the calendar says: of yesterday to a week ahead. */
final class Comparison
{
    private const LAST = 'comparison';
    private const DAYS_BACK = 1;
    private const DAYS_AHEAD = 7;

    /** @param int $now epoch seconds */
    public function __construct(private readonly Client $client, private readonly int $now)
    {
    }

    /** All visits, and the reminders: every five minutes. */
    public static function runAsService(): void
    {
        if (!Settings::areComplete() || !Settings::hasZone()) {
            return;
        }
        $client = Settings::client();
        Calendar::whole(static function () use ($client): void {
            (new self($client, time()))->run();
            (new Reminders($client, time()))->run();
        });
        Done::mark(self::LAST, time());
    }

    /** When all visits were compared last, epoch seconds; null: never. */
    public static function lastRun(): ?int
    {
        return Done::at(self::LAST);
    }

    /**
     * Compares the visits of a week.
     *
     * @param ?string $key those of this appointment alone: see Calendar::key()
     *
     * @throws \JitsiTokens\JitsiTokensException the service is away, or refuses this client
     */
    public function run(?string $key = null): void
    {
        $today = (new \DateTimeImmutable("@{$this->now}"))->setTimezone(Settings::zone());
        $from = $today->setTime(0, 0)->modify('-' . self::DAYS_BACK . ' days');
        $last = $today->setTime(0, 0)->modify('+' . self::DAYS_AHEAD . ' days');
        // The service first: so the calendar is never the older of the two.
        $stored = $this->stored($from, $last->modify('+1 day'));
        $visits = Calendar::between($from->format('Y-m-d'), $last->format('Y-m-d'));
        foreach ($visits as $id => $visit) {
            if ($key === null || $key === Calendar::parse($id)[0]) {
                $this->settle($id, $visit, $stored[$id] ?? null);
            }
        }
        foreach (array_diff_key($stored, $visits) as $id => $one) {
            [$itsKey, $date] = Calendar::parse($id);
            if ($key === null || $key === $itsKey) {
                $this->settle($id, Calendar::ofId($itsKey, $date), $one);
            }
        }
    }

    /** What one appointment was saved as, moved to or deleted: also beyond the week. */
    public function runFor(string $key): void
    {
        $row = Calendar::row($key);
        if ($row === null || (int) $row['pc_recurrtype'] > 0) {
            $this->run($key);
        }
        $id = Calendar::id($key, null);
        try {
            $stored = $this->client->getVisit($id);
        } catch (NotFoundException) {
            $stored = null;
        }
        $this->settle($id, Calendar::ofId($key, null), $stored);
    }

    /** @return array<string, array<string, mixed>> the visits of this site's calendar, by id */
    private function stored(\DateTimeImmutable $from, \DateTimeImmutable $to): array
    {
        $stored = [];
        $next = null;
        do {
            $page = $this->client->listVisits(
                $from->format(DATE_RFC3339),
                $to->format(DATE_RFC3339),
                next: $next,
            );
            foreach ($page['visits'] as $visit) {
                $id = (string) $visit['state']['visitId'];
                if (Calendar::parse($id) !== null) {
                    $stored[$id] = $visit;
                }
            }
            $next = $page['next'] ?? null;
        } while ($next !== null);
        return $stored;
    }

    /**
     * @param ?Visit                $visit  null: the calendar has no such visit
     * @param ?array<string, mixed> $stored null: the service has none
     */
    private function settle(string $id, ?Visit $visit, ?array $stored): void
    {
        try {
            $this->settleOrThrow($id, $visit, $stored);
        } catch (NotFoundException | ConflictException) {
            // Somebody was faster, with a later state of the calendar.
        } catch (InvalidRequestException $error) {
            error_log("jitsi-tokens: {$id}: {$error->getMessage()}");
        }
    }

    private function settleOrThrow(string $id, ?Visit $visit, ?array $stored): void
    {
        $closing = $visit?->closing();
        $isMoved = $stored && strtotime((string) $stored['startsAt']) !== $visit?->startsAt;
        if ($visit !== null && $visit->closesAt() <= $this->now && !$isMoved) {
            return;
        }
        $isGone = $visit === null || $closing === 'cancelled' || $visit->closesAt() <= $this->now
            || ($closing === null && $visit->refusal() !== null);
        if ($isGone) {
            $this->cancel($id, $stored);
        } elseif ($closing === 'over') {
            $this->end($id, $stored);
        } elseif ($stored === null || $visit->differsFrom($stored)) {
            $this->client->putVisit($id, $visit->body(), self::revision($visit, $stored));
        }
    }

    private function cancel(string $id, ?array $stored): void
    {
        $state = $stored['state'] ?? null;
        $isOver = $state === null || $state['status'] === 'cancelled'
            || $state['closesAt'] <= $this->now;
        if (!$isOver) {
            $this->client->cancelVisit($id, $stored['revision'] ?? null);
        }
    }

    private function end(string $id, ?array $stored): void
    {
        if (in_array($stored['state']['status'] ?? '', ['scheduled', 'open', 'live'], true)) {
            $this->client->endVisit($id);
        }
    }

    /** Not below what the service has: pc_time does not change with each state, nor in SQL. */
    private static function revision(Visit $visit, ?array $stored): ?int
    {
        $known = array_filter([$visit->revision, $stored['revision'] ?? null], 'is_int');
        return $known ? max($known) : null;
    }
}
