<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

/** A button of the staff was pressed: public/visit.php. */
final class Staff
{
    private const STRANGE = 'Press the button in the appointment.';

    public static function answer(): void
    {
        $visit = null;
        $action = self::posted('action');
        try {
            $visit = self::visit();
            self::act($action, $visit);
        } catch (Refused $refused) {
            $asked = Calendar::asked($_POST);
            $what = $asked ? " pc_eid {$asked[0]} on {$asked[1]}" : '';
            Host::audit(false, "refused: {$refused->getMessage()}{$what}", $visit?->pid);
            if ($refused->retryAfterSeconds !== null) {
                header("Retry-After: {$refused->retryAfterSeconds}");
            }
            Module::say($refused->status, $refused->getMessage());
        }
    }

    /** @throws Refused */
    private static function visit(): Visit
    {
        if (($_SERVER['REQUEST_METHOD'] ?? '') !== 'POST') {
            header('Allow: POST');
            throw new Refused(405, self::STRANGE);
        }
        if (!Host::csrfIsRight(self::posted('csrf_token_form'))) {
            throw new Refused(403, 'Open the appointment again, and press the button there.');
        }
        if (!Host::mayEditAppointments()) {
            throw new Refused(403, 'You may not open appointments.');
        }
        $asked = Calendar::asked($_POST) ?? throw new Refused(400, self::STRANGE);
        if (!Settings::areComplete()) {
            throw new Refused(409, 'Video visits are not set up yet. Tell your administrator.');
        }
        return Calendar::find(...$asked)
            ?? throw new Refused(404, 'This appointment is no video visit any more.');
    }

    /** @throws Refused */
    private static function act(string $action, Visit $visit): void
    {
        if (($sentence = $visit->refusal()) !== null) {
            throw new Refused(409, $sentence);
        }
        $isModerators = in_array($action, ['join', 'late', 'by-phone', 'end'], true);
        $userId = Host::userId();
        if ($isModerators && !isset($visit->providers[$userId]) && !Host::mayModerate()) {
            $sentence = 'This visit belongs to another provider.';
            throw new Refused(403, "{$sentence} Your administrator can let you join it.");
        }
        match ($action) {
            'join' => self::join($visit, $userId),
            'late' => self::late($visit),
            'by-phone', 'end' => self::end($visit, $action === 'end' ? 'done' : 'by-phone'),
            'link' => self::link($visit),
            'send' => self::send($visit),
            'new-link' => self::newLink($visit),
            default => throw new Refused(400, self::STRANGE),
        };
    }

    private static function join(Visit $visit, int $userId): void
    {
        $name = $visit->providers[$userId] ?? self::nameOf($userId);
        $meeting = (new Service())->join($visit, $userId, $name);
        Host::audit(true, "joined as moderator: {$visit->described()}", $visit->pid);
        header("Location: {$meeting->meetingUrl}", true, 303);
    }

    private static function late(Visit $visit): void
    {
        $minutes = self::posted('minutes');
        if (!in_array($minutes, ['0', '10', '20', '30'], true)) {
            throw new Refused(400, self::STRANGE);
        }
        (new Service())->delay($visit, (int) $minutes);
        Host::audit(true, "late by {$minutes} minutes: {$visit->described()}", $visit->pid);
        Module::say(200, $minutes === '0'
            ? xl('The patient reads that the visit is on time.')
            : sprintf(xl('The patient reads that the visit is %s minutes late.'), $minutes));
    }

    private static function end(Visit $visit, string $because): void
    {
        (new Service())->end($visit, $because);
        Host::audit(true, "ended, {$because}: {$visit->described()}", $visit->pid);
        Module::say(200, $because === 'done'
            ? xl('The visit is over. Joining opens it again.')
            : xl('The patient reads that you will call. Joining opens the visit again.'));
    }

    private static function link(Visit $visit): void
    {
        $link = (new Service())->link($visit);
        Host::audit(true, "link shown: {$visit->described()}", $visit->pid);
        Module::say(200, $link->reveal());
    }

    private static function send(Visit $visit): void
    {
        Mail::send($visit, (new Service())->link($visit));
        Host::audit(true, "link mailed: {$visit->described()}", $visit->pid);
        Module::say(200, xl('The link is on its way to the patient.'));
    }

    private static function newLink(Visit $visit): void
    {
        (new Service())->newLink($visit);
        Host::audit(true, "link replaced: {$visit->described()}", $visit->pid);
        Module::say(200, xl('The old link opens nothing any more. Copy or send the new one.'));
    }

    private static function nameOf(int $userId): string
    {
        $row = sqlQuery('SELECT fname, lname FROM users WHERE id = ?', [$userId]);
        return Visit::name("{$row['fname']} {$row['lname']}") ?: Settings::text('clinic');
    }

    private static function posted(string $name): string
    {
        return is_string($_POST[$name] ?? null) ? $_POST[$name] : '';
    }
}
