<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

/** The module's one table: which reminders were sent, and when the calendar was compared last. */
final class Done
{
    /** Whether it was not done before: of two that ask at once, one hears so. */
    public static function claim(string $name, int $now): bool
    {
        sqlStatement(
            'INSERT IGNORE INTO jitsi_tokens_done (name, at) VALUES (?, ?)',
            [$name, self::utc($now)],
        );
        return generic_sql_affected_rows() > 0;
    }

    public static function mark(string $name, int $now): void
    {
        $sql = 'REPLACE INTO jitsi_tokens_done (name, at) VALUES (?, ?)';
        sqlStatement($sql, [$name, self::utc($now)]);
    }

    public static function forget(string $name): void
    {
        sqlStatement('DELETE FROM jitsi_tokens_done WHERE name = ?', [$name]);
    }

    public static function forgetBefore(int $time): void
    {
        sqlStatement('DELETE FROM jitsi_tokens_done WHERE at < ?', [self::utc($time)]);
    }

    /** When it was done, epoch seconds; null: never. */
    public static function at(string $name): ?int
    {
        $row = sqlQuery('SELECT at FROM jitsi_tokens_done WHERE name = ?', [$name]);
        return $row ? (strtotime("{$row['at']} UTC") ?: null) : null;
    }

    private static function utc(int $time): string
    {
        return gmdate('Y-m-d H:i:s', $time);
    }
}
