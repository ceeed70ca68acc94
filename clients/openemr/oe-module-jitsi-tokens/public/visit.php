<?php

/** The buttons of the staff: join, late, by phone, end, the patient's link. */

declare(strict_types=1);

// OpenEMR's session and settings. Without a login it ends here.
require_once __DIR__ . '/../../../../globals.php';
require_once __DIR__ . '/../src/Module.php';

JitsiTokens\OpenEMR\Module::serve(static function (): void {
    JitsiTokens\OpenEMR\Staff::answer();
});
