<?php

/**
 * What OpenEMR runs of an enabled module on every request, the login among them. So nothing is
 * loaded here: what a listener needs is loaded inside of it, and an error there (a missing file, an
 * old PHP) is logged and goes no further. This file keeps to the syntax of PHP 7.
 *
 * @var object $eventDispatcher given by OpenEMR
 */

(static function ($eventDispatcher) {
    $listeners = [
        'globals.initialized' => 'addSettings',
        'appointment.render.below.patient' => 'showButtons',
        'postcalendar_userapi_pcGetEvents.filter' => 'markVisits',
        'html.head.script.filter' => 'addScript',
        'appointment.set' => 'noteAppointment',
        'openemr.appointment.add_edit_event.close.before' => 'noteAppointment',
        'service.save.post' => 'noteAppointment',
        'service.delete.pre' => 'noteAppointment',
        'home.dashboard.inject.card' => 'showCard',
        'home.appointment.filter' => 'addAddress',
        'core.twig.environment.create' => 'addTemplates',
        'appointments.customFilter' => 'showAll',
    ];
    foreach ($listeners as $event => $method) {
        $eventDispatcher->addListener($event, static function ($event) use ($method) {
            try {
                require_once __DIR__ . '/src/Module.php';
                call_user_func(['JitsiTokens\\OpenEMR\\Listeners', $method], $event);
            } catch (\Throwable $error) {
                jitsi_tokens_log($error);
            }
        }, $event === 'appointments.customFilter' ? -1000 : 0);    // After all who hide.
    }
})($eventDispatcher);

if (!function_exists('jitsi_tokens_compare')) {
    /** Only the SDK's messages hold no key, token, link or name: of others the place is logged. */
    function jitsi_tokens_log($error)
    {
        $what = is_a($error, 'JitsiTokens\\JitsiTokensException')
            ? $error->getMessage()
            : 'at ' . basename($error->getFile()) . ':' . $error->getLine();
        error_log('jitsi-tokens: ' . get_class($error) . ": {$what}");
    }

    /**
     * The background service. It is here, and not in a file that the table of services names,
     * because a missing file would stop the services that come after it.
     */
    function jitsi_tokens_compare()
    {
        try {
            require_once __DIR__ . '/src/Module.php';
            JitsiTokens\OpenEMR\Comparison::runAsService();
        } catch (\Throwable $error) {
            jitsi_tokens_log($error);
        }
    }
}
