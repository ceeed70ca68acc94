<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

use JitsiTokens\Appointment;

/**
 * The video visits of OpenEMR's calendar. Nothing of it is stored: it is read whenever it is asked,
 * since portal, REST and SQL change appointments without an event.
 */
final class Calendar
{
    private const MOST_DAYS = 400;
    private const EVENTS = 'openemr_postcalendar_events';

    private static bool $isWhole = false;

    /**
     * @param ?int $pid of this patient alone
     *
     * @return array<string, Visit> by id; those without a length among them
     */
    public static function between(string $from, string $to, ?int $pid = null): array
    {
        // What OpenEMR's file sets is global for who asks it later.
        global $COMPARE_FUNCTION_HASH, $ORDERHASH;
        global $REPEAT_FREQ, $REPEAT_FREQ_TYPE, $REPEAT_ON_NUM, $REPEAT_ON_DAY;
        require_once $GLOBALS['srcdir'] . '/appointments.inc.php';
        $categories = Settings::categories();
        $rows = array_filter(
            fetchAppointments($from, $to, $pid),
            static fn (array $row): bool => in_array((int) $row['pc_catid'], $categories, true)
                && (int) $row['pid'] > 0,
        );
        $more = self::more(array_column($rows, 'pc_eid'));
        $groups = [];
        foreach ($rows as $row) {
            $row += $more[(int) $row['pc_eid']] ?? ['key' => $row['pc_eid'], 'pc_time' => null];
            $groups["{$row['key']} {$row['pc_eventDate']}"][] = $row;
        }
        $visits = [];
        foreach ($groups as $group) {
            try {
                $visit = self::visit($group);
            } catch (\InvalidArgumentException) {
                continue;    // It has no time of the day.
            }
            $visits[$visit->id] = $visit;
        }
        return $visits;
    }

    /** Does the work with the visits of all patients, those hidden from the user among them. */
    public static function whole(callable $work): void
    {
        self::$isWhole = true;
        try {
            $work();
        } finally {
            self::$isWhole = false;
        }
    }

    public static function isWhole(): bool
    {
        return self::$isWhole;
    }

    /**
     * Which appointment a form names.
     *
     * @param array<mixed> $form
     *
     * @return array{int, string}|null pc_eid and date; null where it names none
     */
    public static function asked(array $form): ?array
    {
        ['eid' => $eid, 'date' => $date] = $form + ['eid' => null, 'date' => null];
        return is_string($eid) && preg_match('/^\d{1,18}$/D', $eid)
            && is_string($date) && preg_match('/^\d{4}-\d\d-\d\d$/D', $date)
            ? [(int) $eid, $date]
            : null;
    }

    /**
     * The visit of an appointment on a date, or null where it is no video visit.
     *
     * @param ?int $pid of this patient alone
     *
     * @throws Refused the date is too far away: OpenEMR expands a series day by day
     */
    public static function find(int $eid, string $date, ?int $pid = null): ?Visit
    {
        $day = \DateTimeImmutable::createFromFormat('!Y-m-d', $date, Settings::zone());
        $today = new \DateTimeImmutable('today', Settings::zone());
        $isDate = $day && $day->format('Y-m-d') === $date;
        if (!$isDate || $today->diff($day)->days > self::MOST_DAYS) {
            throw new Refused(409, 'A video visit is at most 400 days away.');
        }
        foreach (self::between($date, $date, $pid) as $visit) {
            if (in_array($eid, $visit->eids, true)) {
                return $visit;
            }
        }
        return null;
    }

    /** The visit under an id of parse(), wherever it was moved to. */
    public static function ofId(string $key, ?string $date): ?Visit
    {
        $row = self::row($key);
        $day = $date ?? (string) ($row['pc_eventDate'] ?? '');
        try {
            $visit = $row ? self::find((int) $row['pc_eid'], $day) : null;
        } catch (Refused) {
            return null;
        }
        return $visit?->id === self::id($key, $date) ? $visit : null;
    }

    /** @return array<string, mixed>|null pc_eid, pc_eventDate and pc_recurrtype */
    public static function row(string $key): ?array
    {
        $isJoint = $key[0] === 'm';
        $column = $isJoint ? 'pc_multiple' : 'pc_eid';
        $sql = 'SELECT pc_eid, pc_eventDate, pc_recurrtype, pc_pid FROM ' . self::EVENTS
            . " WHERE {$column} = ? ORDER BY pc_eid";
        $number = explode('-', ltrim($key, 'm'))[0];
        $found = sqlStatement($sql, [$number]);
        while ($row = sqlFetchArray($found)) {
            if (!$isJoint || $key === self::joint($number, $row['pc_pid'])) {
                return $row;
            }
        }
        return null;
    }

    /**
     * What stays the same when the appointment changes: its pc_eid; where OpenEMR allows several
     * providers that of joint(), since it then makes a new row for another provider.
     */
    public static function key(int $eid): string
    {
        return (string) (self::more([$eid])[$eid]['key'] ?? $eid);
    }

    /**
     * OpenEMR gives the highest pc_multiple again once its rows are deleted: with the patient in
     * it, the next patient has another visit, and another room.
     */
    private static function joint(int|string $multiple, int|string $pid): string
    {
        return "m{$multiple}-" . substr(Visit::digest((int) $pid), 0, 8);
    }

    /** @param ?string $date of an occurrence of a series */
    public static function id(string $key, ?string $date): string
    {
        $end = $date === null ? '' : '.' . strtr($date, ['-' => '']);
        return 'oe-' . Host::site() . "-{$key}{$end}";
    }

    /**
     * What an id is made of; null for an id that is not of this site's calendar.
     *
     * @return array{string, ?string}|null the key, and the date of an occurrence of a series
     */
    public static function parse(string $id): ?array
    {
        $site = preg_quote(Host::site(), '/');
        $key = '(\d+|m\d+-[0-9a-f]{8})';
        if (!preg_match("/^oe-{$site}-{$key}(?:\.(\d{4})(\d\d)(\d\d))?\$/D", $id, $found)) {
            return null;
        }
        return [$found[1], isset($found[2]) ? "{$found[2]}-{$found[3]}-{$found[4]}" : null];
    }

    /** @param list<array<string, mixed>> $rows of one date, one a provider */
    private static function visit(array $rows): Visit
    {
        usort($rows, static fn (array $one, array $other): int =>
            (int) $one['pc_eid'] <=> (int) $other['pc_eid']);
        $closing = Settings::closing();
        $open = array_filter($rows, static fn (array $row): bool =>
            !in_array((string) $row['pc_apptstatus'], $closing, true));
        // A provider whose row is closed takes no part, while another one's is open.
        $row = reset($open) ?: $rows[0];
        $providers = [];
        foreach ($open ?: $rows as $one) {
            $name = Visit::name("{$one['ufname']} {$one['ulname']}");
            $providers[(int) $one['uprovider_id']] = $name ?: Settings::text('clinic');
        }
        unset($providers[0]);
        $isOfSeries = (int) $row['pc_recurrtype'] > 0;
        $zone = Settings::zone();
        $date = (string) $row['pc_eventDate'];
        $start = Appointment::local($date, (string) $row['pc_startTime'], $zone->getName(), 0, 0);
        $saved = array_filter(array_column($rows, 'pc_time'));
        return new Visit(
            id: self::id((string) $row['key'], $isOfSeries ? $date : null),
            eids: array_map('intval', array_column($rows, 'pc_eid')),
            date: $date,
            startsAt: $start->notBefore,
            durationMinutes: (int) ceil((int) $row['pc_duration'] / 60),
            status: (string) $row['pc_apptstatus'],
            pid: (int) $row['pid'],
            providers: $providers,
            patient: $row,
            revision: $saved
                ? (new \DateTimeImmutable(max($saved), $zone))->getTimestamp()
                : null,
        );
    }

    /**
     * What fetchAppointments() leaves out: when a row was saved, the patient's language, and the
     * key of the visit.
     *
     * @param array<int|string> $eids
     *
     * @return array<int, array<string, mixed>> by pc_eid
     */
    private static function more(array $eids): array
    {
        $rows = self::rows(
            'SELECT e.pc_eid, e.pc_time, e.pc_multiple, p.language FROM ' . self::EVENTS . ' AS e'
            . ' LEFT JOIN patient_data AS p ON p.pid = e.pc_pid WHERE e.pc_eid IN',
            $eids,
        );
        $multiples = array_unique(array_diff(array_column($rows, 'pc_multiple'), [0, '0']));
        // One question for all, as no index helps with it.
        $all = self::rows(
            'SELECT pc_eid, pc_multiple, pc_pid, pc_eventDate, pc_startTime FROM ' . self::EVENTS
            . ' WHERE pc_multiple IN',
            $multiples,
        );
        $keys = self::keys($all);
        $more = [];
        foreach ($rows as $row) {
            $eid = (int) $row['pc_eid'];
            $more[$eid] = ['key' => $keys[$eid] ?? (string) $eid] + $row;
        }
        return $more;
    }

    /**
     * @param list<array<string, mixed>> $rows all those of each pc_multiple
     *
     * @return array<int, string> the key of each row's visit, by pc_eid
     */
    private static function keys(array $rows): array
    {
        $lowest = [];
        $visitOf = [];
        foreach ($rows as $row) {
            $eid = (int) $row['pc_eid'];
            $joint = self::joint($row['pc_multiple'], $row['pc_pid']);
            // Two dialogs that were saved at once may have taken the same pc_multiple.
            $visit = "{$joint} {$row['pc_eventDate']} {$row['pc_startTime']}";
            $visitOf[$eid] = [$joint, $visit];
            foreach ([$joint, $visit] as $group) {
                $lowest[$group] = min($lowest[$group] ?? $eid, $eid);
            }
        }
        return array_map(
            static fn (array $groups): string => $lowest[$groups[0]] === $lowest[$groups[1]]
                ? $groups[0]
                : (string) $lowest[$groups[1]],
            $visitOf,
        );
    }

    /**
     * @param string            $sql    ends in IN
     * @param array<int|string> $values what is in the list
     *
     * @return list<array<string, mixed>>
     */
    private static function rows(string $sql, array $values): array
    {
        $rows = [];
        if ($values !== []) {
            $marks = implode(', ', array_fill(0, count($values), '?'));
            $found = sqlStatement("{$sql} ({$marks})", array_values($values));
            while ($row = sqlFetchArray($found)) {
                $rows[] = $row;
            }
        }
        return $rows;
    }
}
