<?php

/** What Manage Modules shows behind the gear. */

declare(strict_types=1);

require_once __DIR__ . '/../../../globals.php';
require_once __DIR__ . '/src/Module.php';

use JitsiTokens\OpenEMR\Diagnosis;
use JitsiTokens\OpenEMR\Host;
use JitsiTokens\OpenEMR\Module;

Module::serve(static function (): void {
    if (!Host::mayManageModules()) {
        Module::say(403, 'You may not manage modules.');
        return;
    }
    $token = $_POST['csrf_token_form'] ?? null;
    Module::show('config', [
        'lines' => is_string($token) && Host::csrfIsRight($token) ? Diagnosis::lines() : null,
        'categories' => Diagnosis::categories(),
        'token' => Host::csrfToken(),
    ]);
});
