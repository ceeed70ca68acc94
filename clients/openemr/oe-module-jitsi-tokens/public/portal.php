<?php

/** The patient's visit, behind the portal's login. */

declare(strict_types=1);

// For who is not signed in: the portal's login, and back.
$jitsiTokensPath = (string) parse_url((string) $_SERVER['REQUEST_URI'], PHP_URL_PATH);
$jitsiTokensAsked = array_intersect_key($_GET, ['site' => 1, 'eid' => 1, 'date' => 1]);
$landingpage = dirname($jitsiTokensPath, 6) . '/portal/index.php?' . http_build_query([
    'site' => is_string($_GET['site'] ?? null) ? $_GET['site'] : 'default',
    'redirect' => $jitsiTokensPath . '?' . http_build_query($jitsiTokensAsked),
]);
$landingpage = str_replace('//', '/', $landingpage);
$skipLandingPageError = true;
// In 8.0 this cookie says which session is meant, and both logins write it.
$_COOKIE['App'] = 'PortalOpenEMR';

require_once __DIR__ . '/../../../../../portal/verify_session.php';
require_once __DIR__ . '/../src/Module.php';

JitsiTokens\OpenEMR\Module::serve(static function () use ($pid): void {
    JitsiTokens\OpenEMR\Portal::answer((int) $pid);
});
