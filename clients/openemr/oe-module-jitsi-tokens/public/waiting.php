<?php

/** Who waits today: the calendar asks each half minute. */

declare(strict_types=1);

require_once __DIR__ . '/../../../../globals.php';
require_once __DIR__ . '/../src/Module.php';

JitsiTokens\OpenEMR\Module::serve(static function (): void {
    JitsiTokens\OpenEMR\Waiting::answer();
});
