<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

use JitsiTokens\Limits;

/** What the module does at OpenEMR's events: see openemr.bootstrap.php. */
final class Listeners
{
    private const TEMPLATES = 'jitsi_tokens_before';

    /** @var array<string, true> the appointments that this request changed: Calendar::key() */
    private static array $changed = [];

    public static function addSettings(object $event): void
    {
        Settings::addTo($event->getGlobalsService());
    }

    /** The buttons in the dialog of an appointment. */
    public static function showButtons(object $event): void
    {
        $row = $event->getAppt();    // empty for an appointment that is not saved yet
        if (empty($row['pc_eid']) || !Settings::areComplete() || !Host::mayEditAppointments()) {
            return;
        }
        if (!in_array((int) $row['pc_catid'], Settings::categories(), true)) {
            return;
        }
        try {
            $date = self::dateOfDialog($row);
            $visit = Calendar::find((int) $row['pc_eid'], $date);
        } catch (Refused $refused) {
            Module::show('appointment', ['sentence' => $refused->getMessage()]);
            return;
        }
        if ($visit === null) {
            return;
        }
        Module::show('appointment', [
            'sentence' => $visit->refusal(),
            'mayModerate' => isset($visit->providers[Host::userId()]) || Host::mayModerate(),
            'fields' => [
                'eid' => (string) $row['pc_eid'],
                'date' => $date,
                'csrf_token_form' => Host::csrfToken(),
            ],
        ]);
    }

    /** Marks the entries of today that the user may open: module.js puts a button into them. */
    public static function markVisits(object $event): void
    {
        if (!Settings::areComplete() || !Host::mayEditAppointments()) {
            return;
        }
        $today = (new \DateTimeImmutable('now', Settings::zone()))->format('Y-m-d');
        $days = $event->getEventsByDays();
        $closing = Settings::closing();
        foreach ($days[$today] ?? [] as $number => $entry) {
            $isVisit = in_array((int) ($entry['catid'] ?? 0), Settings::categories(), true)
                && !empty($entry['pid'])
                && !in_array((string) ($entry['apptstatus'] ?? ''), $closing, true);
            $isMine = (int) ($entry['aid'] ?? 0) === Host::userId() || Host::mayModerate();
            if ($isVisit && $isMine) {
                $class = $entry['eventViewClass'] ?? 'event_appointment';
                $days[$today][$number]['eventViewClass'] = "{$class} jitsi-tokens-visit";
            }
        }
        $event->setEventsByDays($days);
    }

    /** The script of the calendar. The dialog brings its own. */
    public static function addScript(object $event): void
    {
        if (in_array($event->getPageName(), ['pnuserapi.php', 'pnadmin.php'], true)) {
            $event->setScripts([...$event->getScripts(), Module::address('module.js')]);
        }
    }

    /** An appointment is saved or deleted: at the end of the request its visit follows. */
    public static function noteAppointment(object $event): void
    {
        if (!Settings::areComplete()) {
            return;
        }
        $eid = match (true) {
            method_exists($event, 'getAppointmentId') => $event->getAppointmentId(),
            method_exists($event, 'getService') && !self::isOfAppointments($event) => null,
            method_exists($event, 'getSaveData') => $event->getSaveData()['eid'] ?? null,
            method_exists($event, 'getRecordId') => $event->getRecordId(),
            default => $event->eid ?? null,
        };
        // One date of a series that was changed is a row of its own.
        foreach ([$eid, $GLOBALS['temporary-eid-for-manage-tracker'] ?? null] as $one) {
            if (is_scalar($one) && ctype_digit((string) $one) && (int) $one > 0) {
                if (self::$changed === []) {
                    register_shutdown_function(self::settleChanged(...));
                }
                self::$changed[Calendar::key((int) $one)] = true;
            }
        }
    }

    /** Briefly: what is not done here is done by the comparison within five minutes. */
    public static function settleChanged(): void
    {
        try {
            if (function_exists('fastcgi_finish_request')) {
                fastcgi_finish_request();
            }
            $limits = new Limits(1.0, 3.0, 4.0, 1);
            foreach (array_keys(self::$changed) as $key) {
                $comparison = new Comparison(Settings::client($limits), time());
                Calendar::whole(static fn () => $comparison->runFor((string) $key));
            }
        } catch (\Throwable $error) {
            Module::log($error);
        }
    }

    /**
     * A module can hide patients from a user. In that user's request they would be missing in the
     * comparison, and it would cancel their visits.
     */
    public static function showAll(object $event): void
    {
        if (Calendar::isWhole()) {
            $event->getBoundFilter()->setFilterClause('1');
            $event->getBoundFilter()->setBoundValues([]);
        }
    }

    public static function showCard(object $event): void
    {
        if (Settings::areComplete()) {
            Portal::showCard();
        }
    }

    /** The address behind the button of an appointment in the portal. */
    public static function addAddress(object $event): void
    {
        $row = $event->getDbRecord();
        $end = strtotime("{$row['pc_eventDate']} {$row['pc_startTime']}") + $row['pc_duration'];
        $isVisit = Settings::areComplete()
            && $end + Settings::minutes('overrun', 30) * 60 > time()
            && in_array((int) $row['pc_catid'], Settings::categories(), true)
            && !in_array((string) $row['pc_apptstatus'], Settings::closing(), true);
        if ($isVisit) {
            $address = Portal::address((int) $row['pc_eid'], (string) $row['pc_eventDate']);
            $event->setAppointment(['jitsiTokensAddress' => $address] + $event->getAppointment());
        }
    }

    /** Our template of an appointment shows the one that was there before, and the button. */
    public static function addTemplates(object $event): void
    {
        $loader = $event->getTwigEnvironment()->getLoader();
        $folder = realpath(Module::FOLDER . '/templates');
        $isOfFiles = method_exists($loader, 'prependPath');
        if ($isOfFiles && !in_array($folder, $loader->getPaths(), true)) {
            $loader->setPaths($loader->getPaths(), self::TEMPLATES);
            $loader->prependPath($folder);
        }
    }

    /**
     * The date for which the dialog was opened. Of a series the row has only the first one, and
     * some reports name none: then it is today's.
     */
    private static function dateOfDialog(array $row): string
    {
        if ((int) ($row['pc_recurrtype'] ?? 0) === 0) {
            return (string) $row['pc_eventDate'];
        }
        $asked = $_GET['date'] ?? '';
        return is_string($asked) && preg_match('/^(\d{4})(\d\d)(\d\d)$/D', $asked, $found)
            ? "{$found[1]}-{$found[2]}-{$found[3]}"
            : (new \DateTimeImmutable('now', Settings::zone()))->format('Y-m-d');
    }

    private static function isOfAppointments(object $event): bool
    {
        $service = $event->getService()::class;
        return str_ends_with($service, 'AppointmentService')
            || str_ends_with($service, 'PatientTrackerService');
    }
}
