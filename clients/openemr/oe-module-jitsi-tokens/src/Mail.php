<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

use JitsiTokens\Secret;

/** A mail with the patient's link, by OpenEMR's own mailer. It names no condition and no reason. */
final class Mail
{
    private const SECONDS = 10;

    /** @throws Refused the patient wants no mail or has no address, or it cannot be sent */
    public static function send(Visit $visit, Secret $link): void
    {
        $to = trim((string) ($visit->patient['email'] ?? ''));
        if ($to === '' || ($visit->patient['hipaa_allowemail'] ?? '') !== 'YES') {
            $sentence = 'The patient has no e-mail address, or has not agreed to e-mail.';
            throw new Refused(409, $sentence);
        }
        if (!self::isSetUp()) {
            throw new Refused(409, 'E-mail is not set up in this OpenEMR.');
        }
        try {
            $mail = new \MyMailer();
            // Without it a mail server that is away takes five minutes.
            $mail->Timeout = self::SECONDS;
            $mail->setFrom($GLOBALS['patient_reminder_sender_email'], Settings::text('clinic'));
            $mail->addAddress($to);
            $mail->Subject = xl('Your video visit') . ': ' . Settings::text('clinic');
            $mail->isHTML(true);
            $mail->Body = self::html($visit, $link);
            $mail->AltBody = self::text($visit, $link);
            $isSent = $mail->send();
        } catch (\Throwable $error) {
            // Its message may hold the address.
            error_log('jitsi-tokens: ' . $error::class);
            $isSent = false;
        }
        if (!$isSent) {
            throw new Refused(502, 'The mail could not be sent.');
        }
    }

    public static function isSetUp(): bool
    {
        require_once $GLOBALS['srcdir'] . '/classes/postmaster.php';
        return !empty($GLOBALS['patient_reminder_sender_email']) && \MyMailer::isConfigured();
    }

    private static function text(Visit $visit, Secret $link): string
    {
        $parts = [self::when($visit), self::open(), $link->reveal(), ...self::end()];
        return implode("\n\n", $parts) . "\n";
    }

    private static function html(Visit $visit, Secret $link): string
    {
        $address = attr($link->reveal());
        $parts = [text(self::when($visit)), text(self::open()),
            "<a href=\"{$address}\">{$address}</a>", ...array_map('text', self::end())];
        return '<p>' . implode('</p><p>', $parts) . '</p>';
    }

    private static function when(Visit $visit): string
    {
        $begin = $visit->begin();
        return xl('Your video visit') . ": {$begin->format('Y-m-d')}, {$begin->format('H:i')}"
            . " ({$begin->getTimezone()->getName()})";
    }

    private static function open(): string
    {
        return xl('Open this link then, on a phone or a computer:');
    }

    /** @return list<string> */
    private static function end(): array
    {
        return [
            xl('The link stays the same if we move the visit.') . ' '
                . xl('It is for you alone: please do not pass it on.'),
            xl('Trouble? Call') . ' ' . Settings::text('phone') . '.',
        ];
    }
}
