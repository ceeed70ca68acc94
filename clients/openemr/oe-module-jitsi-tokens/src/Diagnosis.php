<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

use JitsiTokens\JitsiTokensException;

/** Test the connection: moduleConfig.php. Each line says what to do. */
final class Diagnosis
{
    private const MOST_SKEW_SECONDS = 60;
    private const LATE_SECONDS = 15 * 60;

    /** @return list<array{bool, string}> whether it is well, and a sentence */
    public static function lines(): array
    {
        $missing = Settings::missing();
        if ($missing !== []) {
            $names = implode(', ', array_map('xl', $missing));
            return [[false, "Admin, Config, Video visits: fill in {$names}."]];
        }
        return [
            self::service(),
            self::clock(),
            self::zone(),
            self::visit(),
            self::comparison(),
            self::mail(),
        ];
    }

    /** @return list<string> "5: Office Visit (a video visit)" */
    public static function categories(): array
    {
        $found = sqlStatement('SELECT pc_catid, pc_catname FROM openemr_postcalendar_categories'
            . ' WHERE pc_active = 1 AND pc_cattype = 0 ORDER BY pc_catid');
        $lines = [];
        while ($row = sqlFetchArray($found)) {
            $isOurs = in_array((int) $row['pc_catid'], Settings::categories(), true);
            $lines[] = "{$row['pc_catid']}: {$row['pc_catname']}"
                . ($isOurs ? ' (a video visit)' : '');
        }
        return $lines;
    }

    private static function service(): array
    {
        try {
            return Settings::client()->isConfigured()
                ? [true, 'The service answers and signs tokens.']
                : [false, 'The service signs nothing. Its operator runs: jitsi-tokens doctor'];
        } catch (JitsiTokensException $error) {
            return [false, "{$error->getMessage()} Ask your operator for the address."];
        }
    }

    private static function clock(): array
    {
        $date = null;
        $curl = curl_init(Settings::text('url') ?: (string) getenv('JITSI_TOKENS_URL'));
        curl_setopt_array($curl, [
            CURLOPT_NOBODY => true,
            CURLOPT_TIMEOUT => 5,
            CURLOPT_HEADERFUNCTION => static function ($_, string $line) use (&$date): int {
                $date = stripos($line, 'date:') === 0 ? strtotime(substr($line, 5)) : $date;
                return strlen($line);
            },
        ]);
        curl_exec($curl);
        if (!is_int($date)) {
            return [false, 'The time of the service is not known.'];
        }
        $skew = abs($date - time());
        return $skew <= self::MOST_SKEW_SECONDS
            ? [true, 'The clock of this server is right.']
            : [false, "The clock of this server is wrong by {$skew} seconds. Switch NTP on."];
    }

    private static function zone(): array
    {
        try {
            $now = new \DateTimeImmutable('now', Settings::zone());
        } catch (Refused $refused) {
            return [false, $refused->getMessage()];
        }
        $text = "It is {$now->format('H:i')} in {$now->getTimezone()->getName()}.";
        return Settings::hasZone()
            ? [true, "{$text} If that is wrong, change it in Admin, Config, Locale."]
            : [false, "{$text} Choose the clinic's time zone in Admin, Config, Locale."];
    }

    /** Makes a visit, looks at its link, and cancels it. */
    private static function visit(): array
    {
        $id = 'test-of-oe-' . Host::site();
        $client = Settings::client();
        try {
            $visit = $client->putVisit($id, [
                'startsAt' => gmdate(DATE_RFC3339, time() + 86_400),
                'durationMinutes' => 1,
                'timeZone' => 'UTC',
                'contact' => Settings::contact(),
                'participants' => [
                    ['participantId' => 'doctor', 'userName' => 'Doctor', 'isModerator' => true],
                    ['participantId' => 'patient', 'userName' => 'Patient'],
                ],
            ]);
            $client->cancelVisit($id);
        } catch (JitsiTokensException $error) {
            return [false, "{$error->getMessage()} The client needs: --visits --moderator"];
        }
        foreach ($visit['state']['participants'] as $participant) {
            if (isset($participant['link'])) {
                $host = parse_url($participant['link']->reveal(), PHP_URL_HOST);
                return [true, "A visit was made and cancelled. Patients' links are of {$host}."];
            }
        }
        return [false, 'A visit was made, but its link is not known. Ask your operator.'];
    }

    private static function comparison(): array
    {
        $last = Comparison::lastRun();
        $how = 'Wait five minutes. If it still says so, add the line for cron: docs/openemr.md.';
        if ($last === null) {
            return [false, "The calendar was not compared yet. {$how}"];
        }
        $minutes = intdiv(time() - $last, 60);
        return time() - $last <= self::LATE_SECONDS
            ? [true, "The calendar was compared {$minutes} minutes ago."]
            : [false, "The calendar was compared {$minutes} minutes ago. {$how}"];
    }

    private static function mail(): array
    {
        $hint = 'Admin, Config, Notifications needs a sender'
            . ' (Patient Reminder Sender Email), and for SMTP host, port and security protocol.';
        return Mail::isSetUp()
            ? [true, 'Mails with links go out by OpenEMR\'s own mail.']
            : [false, "Links cannot be mailed, only copied. {$hint}"];
    }
}
