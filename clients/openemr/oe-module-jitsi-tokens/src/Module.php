<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

/** The module's own place: its files, its address, and whether it is enabled. */
final class Module
{
    public const FOLDER = __DIR__ . '/..';
    private const NAME = 'oe-module-jitsi-tokens';

    private const DISABLED = 'Video visits are switched off in this OpenEMR.';
    private const FAILED = 'Video visits do not work at the moment. Tell your administrator:'
        . ' the web server\'s log has a line with jitsi-tokens.';

    /** The address of a file in public/, below OpenEMR's own. */
    public static function address(string $file): string
    {
        $root = (string) ($GLOBALS['webroot'] ?? '');
        return "{$root}/interface/modules/custom_modules/" . self::NAME . "/public/{$file}";
    }

    /**
     * Runs a public script. OpenEMR serves those of a disabled module as well, so each asks.
     *
     * @param callable(): void $work
     */
    public static function serve(callable $work): void
    {
        header('Cache-Control: no-store');
        header('Referrer-Policy: no-referrer');
        try {
            if (self::isEnabled()) {
                $work();
                return;
            }
            Host::audit(false, 'refused: ' . self::DISABLED);
            self::say(404, self::DISABLED);
        } catch (\Throwable $error) {
            self::log($error);
            self::say(500, self::FAILED);
        }
    }

    public static function say(int $status, string $sentence): void
    {
        http_response_code($status);
        header('Content-Type: text/plain; charset=utf-8');
        echo "{$sentence}\n";
    }

    /** The SDK's messages hold no key, no token, no link and no name; others may quote one. */
    public static function log(\Throwable $error): void
    {
        $what = $error instanceof \JitsiTokens\JitsiTokensException
            ? $error->getMessage()
            : 'at ' . basename($error->getFile()) . ":{$error->getLine()}";
        error_log('jitsi-tokens: ' . $error::class . ": {$what}");
    }

    /** @param array<string, mixed> $values what the template uses, under these names */
    public static function show(string $template, array $values): void
    {
        extract($values, EXTR_SKIP);
        require self::FOLDER . "/templates/{$template}.php";
    }

    private static function isEnabled(): bool
    {
        $sql = 'SELECT mod_active FROM modules WHERE mod_directory = ?';
        return !empty(sqlQuery($sql, [self::NAME])['mod_active']);
    }
}

spl_autoload_register(static function (string $class): void {
    $prefix = __NAMESPACE__ . '\\';
    if (str_starts_with($class, $prefix)) {
        $file = __DIR__ . '/' . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
    } elseif (str_starts_with($class, 'JitsiTokens\\')) {
        // The SDK, a copy of clients/php.
        $rest = strtr(substr($class, strlen('JitsiTokens\\')), '\\', '/');
        $file = Module::FOLDER . "/jitsi-tokens/src/{$rest}.php";
    } else {
        return;
    }
    if (is_file($file)) {
        require_once $file;
    }
});
