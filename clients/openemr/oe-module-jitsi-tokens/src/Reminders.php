<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

use JitsiTokens\Client;
use JitsiTokens\JitsiTokensException;

/** Mails the day before, from the hour of the settings on: once a visit. */
final class Reminders
{
    private const KEPT_DAYS = 30;

    public function __construct(private readonly Client $client, private readonly int $now)
    {
    }

    public function run(): void
    {
        $hour = Settings::reminderHour();
        $today = (new \DateTimeImmutable("@{$this->now}"))->setTimezone(Settings::zone());
        if ($hour === null || (int) $today->format('G') < $hour || !Done::isMine()) {
            return;
        }
        Done::forgetBefore($this->now - self::KEPT_DAYS * 86_400);
        $tomorrow = $today->modify('+1 day')->format('Y-m-d');
        foreach (Calendar::between($tomorrow, $tomorrow) as $visit) {
            $wants = ($visit->patient['hipaa_allowemail'] ?? '') === 'YES'
                && trim((string) ($visit->patient['email'] ?? '')) !== '';
            if ($wants && $visit->refusal() === null && Done::at($visit->id) === null) {
                $this->remind($visit);
            }
        }
    }

    private function remind(Visit $visit): void
    {
        // Before the mail: rather none than one every five minutes.
        Done::mark($visit->id, $this->now);
        try {
            Mail::send($visit, Service::linkIn($this->client->getVisit($visit->id), $visit));
        } catch (Refused | JitsiTokensException $error) {
            Done::forget($visit->id);
            error_log("jitsi-tokens: no reminder for {$visit->id}: {$error->getMessage()}");
            return;
        }
        Host::audit(true, "reminder sent: {$visit->described()}", $visit->pid);
    }
}
