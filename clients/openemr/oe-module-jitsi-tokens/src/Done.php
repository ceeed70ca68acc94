<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

/** The module's one table: which reminders were sent, and when the calendar was compared last. */
final class Done
{
    /** Whether this request is the one that may; until it ends no other one may. */
    public static function isMine(): bool
    {
        // One server can have several OpenEMRs.
        $sql = "SELECT GET_LOCK(CONCAT(DATABASE(), '.jitsi_tokens'), 0) AS isMine";
        return !empty(sqlQuery($sql)['isMine']);
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
