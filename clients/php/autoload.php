<?php

/** Loads the classes below src/, for those without Composer. */

declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    if (!str_starts_with($class, 'JitsiTokens\\')) {
        return;
    }
    $path = strtr(substr($class, strlen('JitsiTokens\\')), '\\', '/');
    $file = __DIR__ . "/src/{$path}.php";
    if (is_file($file)) {
        require $file;
    }
});
