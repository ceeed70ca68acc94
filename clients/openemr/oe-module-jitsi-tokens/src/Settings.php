<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

use JitsiTokens\Appointment;
use JitsiTokens\Client;
use JitsiTokens\Limits;
use OpenEMR\Services\Globals\GlobalSetting;

/** The tab Video visits of Admin → Config. */
final class Settings
{
    private const SECTION = 'Video visits';
    private const CLOSING = 'x % ^ ? ! > $';

    /** Adds the tab. */
    public static function addTo(object $globalsService): void
    {
        $text = GlobalSetting::DATA_TYPE_TEXT;
        $number = GlobalSetting::DATA_TYPE_NUMBER;
        $encrypted = GlobalSetting::DATA_TYPE_ENCRYPTED;
        $settings = [
            'url' => ['Address of jitsi-tokens', $text, '', 'https://…'],
            'api_key' => ['API key', $encrypted, '', 'Shown once by: jitsi-tokens client add'],
            'categories' => ['Categories that are video visits', $text, '',
                'Their numbers, with commas. Modules, Manage Modules, the gear lists them.'],
            'opens_before' => ['Opens before the start (minutes)', $number, '15', '0 to 720'],
            'overrun' => ['Stays open after the end (minutes)', $number, '30', '0 to 720'],
            'closing' => ['States that close the room', $text, self::CLOSING,
                'As in the list Appointment Statuses, with blanks'],
            'clinic' => ['Name of the clinic', $text, '', 'Patients read it on each screen'],
            'phone' => ['Number for patients in trouble', $text, '',
                'Answered during the visits, by somebody who can send a link again'],
            'privacy_url' => ['Address of the privacy notice', $text, '', 'https://…'],
            'reminder_hour' => ['Remind the day before, from (hour)', $number, '',
                '0 to 23; empty: no reminders'],
        ];
        $globalsService->createSection(self::SECTION);
        foreach ($settings as $name => [$label, $type, $default, $description]) {
            $setting = new GlobalSetting(xl($label), $type, $default, xl($description));
            $globalsService->appendToSection(self::SECTION, "jitsi_tokens_{$name}", $setting);
        }
    }

    public static function text(string $name): string
    {
        return trim((string) ($GLOBALS["jitsi_tokens_{$name}"] ?? ''));
    }

    /** Whether enough is set up for a button. */
    public static function areComplete(): bool
    {
        return self::missing() === [];
    }

    /** @return list<string> what is not set up yet */
    public static function missing(): array
    {
        $isOfEnvironment = (string) getenv('JITSI_TOKENS_URL') !== '';
        $needed = [
            'Address of jitsi-tokens' => self::text('url') !== '' || $isOfEnvironment,
            'API key' => self::text('api_key') !== ''
                || (self::text('url') === '' && $isOfEnvironment),
            'Categories that are video visits' => self::categories() !== [],
            'Name of the clinic' => self::text('clinic') !== '',
            'Number for patients in trouble' => self::text('phone') !== '',
        ];
        return array_keys($needed, false, true);
    }

    /** @return list<int> pc_catid of each */
    public static function categories(): array
    {
        preg_match_all('/\d+/', self::text('categories'), $found);
        return array_map('intval', $found[0]);
    }

    /** @return list<string> the states in which nobody may enter */
    public static function closing(): array
    {
        $text = self::text('closing') ?: self::CLOSING;
        return preg_split('/[\s,]+/', $text, -1, PREG_SPLIT_NO_EMPTY) ?: [];
    }

    public static function minutes(string $name, int $default): int
    {
        $text = self::text($name);
        return ctype_digit($text) ? min((int) $text, 720) : $default;
    }

    public static function reminderHour(): ?int
    {
        $text = self::text('reminder_hour');
        return ctype_digit($text) && (int) $text < 24 ? (int) $text : null;
    }

    /** @return array<string, string> whom a patient can call */
    public static function contact(): array
    {
        $privacyUrl = self::text('privacy_url');
        return ['name' => self::text('clinic'), 'phone' => self::text('phone')]
            + ($privacyUrl === '' ? [] : compact('privacyUrl'));
    }

    /**
     * The zone in which the calendar's times are meant: OpenEMR sets PHP's to the clinic's.
     *
     * @throws Refused it is no place, such as CET or +02:00
     */
    public static function zone(): \DateTimeZone
    {
        $name = date_default_timezone_get();
        try {
            Appointment::local('2026-01-01', '00:00', $name, 0);
        } catch (\InvalidArgumentException $error) {
            throw new Refused(409, "Tell your administrator: {$error->getMessage()}");
        }
        return new \DateTimeZone($name);
    }

    /** Whether a zone is chosen: the table alone tells. Without one cron and the web may differ. */
    public static function hasZone(): bool
    {
        $sql = "SELECT gl_value FROM globals WHERE gl_name = 'gbl_time_zone'";
        return !empty(sqlQuery($sql)['gl_value']);
    }

    /** Without the setting: JITSI_TOKENS_URL and JITSI_TOKENS_API_KEY (or …_FILE). */
    public static function client(?Limits $limits = null): Client
    {
        $url = self::text('url');
        return $url === ''
            ? new Client(limits: $limits)
            : new Client($url, Host::decrypted(self::text('api_key')), limits: $limits);
    }
}
