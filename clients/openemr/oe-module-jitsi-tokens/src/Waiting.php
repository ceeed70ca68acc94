<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

use JitsiTokens\Limits;

/** Who waits today, for the calendar: public/waiting.php. */
final class Waiting
{
    public static function answer(): void
    {
        if (!Host::mayEditAppointments() || !Settings::areComplete()) {
            Module::say(403, 'You may not open appointments.');
            return;
        }
        $today = new \DateTimeImmutable('today', Settings::zone());
        // Each open calendar asks: a service that is away must not take all of PHP's workers.
        $page = Settings::client(new Limits(1.0, 3.0, 4.0, 1))->listVisits(
            $today->format(DATE_RFC3339),
            $today->modify('+1 day')->format(DATE_RFC3339),
            waiting: true,
        );
        $waiting = [];
        foreach ($page['visits'] as $stored) {
            $waiting += self::of($stored, $today->format('Y-m-d'));
        }
        header('Content-Type: application/json');
        echo json_encode([
            'date' => $today->format('Y-m-d'),
            'token' => Host::csrfToken(),
            'action' => Module::address('visit.php'),
            'join' => xl('Join'),
            'waiting' => (object) $waiting,
        ], JSON_THROW_ON_ERROR);
    }

    /** @return array<int, string> "waiting since 9:26", by pc_eid */
    private static function of(array $stored, string $today): array
    {
        $parsed = Calendar::parse((string) $stored['state']['visitId']);
        $visit = $parsed ? Calendar::ofId(...$parsed) : null;
        $since = array_filter(array_column($stored['state']['participants'], 'waitingSince'));
        if ($visit === null || $visit->date !== $today || $since === []) {
            return [];
        }
        $time = (new \DateTimeImmutable('@' . min($since)))->setTimezone(Settings::zone());
        return array_fill_keys($visit->eids, xl('waiting since') . " {$time->format('G:i')}");
    }
}
