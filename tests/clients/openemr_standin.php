<?php

/**
 * Stand-ins for the parts of OpenEMR that the files of docs/openemr.md use, as a router for PHP's
 * built-in server. They have the names, arguments and results of OpenEMR's own, and nothing of
 * what is behind them:
 *
 *     OPENEMR_STANDIN=scenario.json php -S 127.0.0.1:8080 openemr_standin.php
 *
 * The scenario is read anew for each request:
 *
 *     root          OpenEMR's directory; below it the module's files at their own place, and two
 *                   files that the test writes: interface/globals.php with
 *                   `<?php openemr_standin_login();` and an empty library/appointments.inc.php
 *     version       "7.0", or "8.1": there sessions, settings and secrets are had in another way
 *     user          users.id of who is signed in, or null
 *     acl           whether that user may change appointments
 *     globals       settings as an administrator typed them; names in "encrypted" are encrypted
 *     encrypted     a list of names
 *     events        rows of openemr_postcalendar_events, with fname and lname of patient and
 *                   provider (ufname, ulname), and "occurrences", the dates of a series
 *
 * and answers at
 *
 *     /add_edit_event.php?eid=&date=    what is shown below the patient in the appointment
 *     /settings                         the settings that the module adds, as JSON
 *     /csrf                             the CSRF token of the session
 *     /link?eid=&date=                  what patient_link() returns
 *     /interface/…/public/join.php      the script itself
 */

namespace {
    $scenario = file_get_contents(getenv('OPENEMR_STANDIN'));
    $openemr = json_decode($scenario, true, 32, JSON_THROW_ON_ERROR);

    function openemr_standin(string $name): mixed
    {
        return $GLOBALS['openemr'][$name] ?? null;
    }

    /** As interface/globals.php: without a login the script ends here. */
    function openemr_standin_login(): void
    {
        if (openemr_standin('user') === null) {
            http_response_code(302);
            header('Location: /interface/login/login.php');
            exit;
        }
    }

    /** library/translation.inc.php, library/htmlspecialchars.inc.php */
    function xlt(string $text): string
    {
        return htmlspecialchars($text, ENT_NOQUOTES);
    }

    function xl(string $text): string
    {
        return $text;
    }

    function attr(mixed $text): string
    {
        return htmlspecialchars((string) $text, ENT_QUOTES);
    }

    /** library/appointments.inc.php: what takes place between two dates, of one provider or all. */
    function fetchAppointments($from, $to, $patient = null, $provider = null): array
    {
        error_log("stand-in: appointments from {$from} to {$to}");
        $found = [];
        foreach (openemr_standin('events') ?? [] as $event) {
            $isOther = !empty($provider) && (string) $provider !== (string) $event['pc_aid'];
            if ($isOther || $event['pc_pid'] === '') {
                continue;
            }
            foreach ($event['occurrences'] ?? [$event['pc_eventDate']] as $date) {
                if ($from <= $date && $date <= $to) {
                    // Of these the real one selects neither pc_aid nor pc_pid.
                    $row = array_diff_key($event, array_flip(['occurrences', 'pc_aid', 'pc_pid']));
                    $mine = ['pc_eventDate' => $date, 'uprovider_id' => $event['pc_aid']];
                    $found[] = $mine + ['pid' => $event['pc_pid']] + $row;
                }
            }
        }
        return $found;
    }

    /** What is in the table `globals`. */
    function openemr_standin_settings(): array
    {
        $settings = openemr_standin('globals') ?? [];
        foreach (openemr_standin('encrypted') ?? [] as $name) {
            if ($settings[$name] !== '') {
                $settings[$name] = '006' . base64_encode(strrev($settings[$name]));
            }
        }
        $root = openemr_standin('root');
        return $settings + ['webroot' => '', 'srcdir' => "{$root}/library"];
    }
}

namespace Symfony\Contracts\EventDispatcher {
    class Event
    {
    }
}

namespace Symfony\Component\EventDispatcher {
    use Symfony\Contracts\EventDispatcher\Event;

    class EventDispatcher
    {
        private array $listeners = [];

        public function addListener(string $name, callable $listener, int $priority = 0): void
        {
            $this->listeners[$name][] = $listener;
        }

        public function dispatch(object $event, ?string $name = null): object
        {
            foreach ($this->listeners[$name] ?? [] as $listener) {
                $listener($event, $name, $this);
            }
            return $event;
        }
    }
}

namespace OpenEMR\Events\Appointments {
    class AppointmentRenderEvent extends \Symfony\Contracts\EventDispatcher\Event
    {
        public const RENDER_JAVASCRIPT = 'appointment.render.javascript';
        public const RENDER_BELOW_PATIENT = 'appointment.render.below.patient';

        public function __construct(private $appt)
        {
        }

        public function getAppt(): array
        {
            return $this->appt;
        }
    }
}

namespace OpenEMR\Services\Globals {
    class GlobalSetting
    {
        public const DATA_TYPE_TEXT = 'text';
        public const DATA_TYPE_NUMBER = 'num';
        public const DATA_TYPE_ENCRYPTED = 'encrypted';

        public function __construct(
            private $label,
            private $dataType,
            private $default,
            private $description,
            private $isUserSetting = false,
        ) {
        }

        public function format(): array
        {
            return [$this->label, $this->dataType, $this->default, $this->description];
        }

        public function isUserSetting(): bool
        {
            return $this->isUserSetting;
        }
    }

    class GlobalsService
    {
        public array $metadata = [];

        public function createSection($section, $beforeSection = false): void
        {
            $this->metadata[$section] = [];
        }

        public function appendToSection($section, $key, GlobalSetting $global): void
        {
            $this->metadata[$section][$key] = $global->format();
            if ($global->isUserSetting()) {
                throw new \LogicException('each user would see this setting');
            }
        }
    }
}

namespace OpenEMR\Events\Globals {
    use OpenEMR\Services\Globals\GlobalsService;

    class GlobalsInitializedEvent extends \Symfony\Contracts\EventDispatcher\Event
    {
        public const EVENT_HANDLE = 'globals.initialized';

        public function __construct(private GlobalsService $service)
        {
        }

        public function getGlobalsService(): GlobalsService
        {
            return $this->service;
        }
    }
}

namespace OpenEMR\Common\Acl {
    class AclMain
    {
        public static function aclCheckCore($section, $value, $user = '', $return_value = ''): bool
        {
            $asked = [$section, $value, $user, $return_value];
            $isRight = $asked === ['patients', 'appt', '', ['write', 'wsome']];
            return $isRight && openemr_standin('acl');
        }
    }
}

namespace OpenEMR\Common\Crypto {
    trait StandInCipher
    {
        private function decrypted($value): string|false
        {
            $isEncrypted = str_starts_with($value, '006');
            return $isEncrypted ? strrev(base64_decode(substr($value, 3))) : false;
        }
    }

    if (openemr_standin('version') === '8.1') {
        class Crypto
        {
            use StandInCipher;

            public function decryptFromDatabase(?string $value): string
            {
                return $this->decrypted((string) $value) ?: (string) $value;
            }
        }
    } else {
        class CryptoGen
        {
            use StandInCipher;

            public function decryptStandard($value): string|false
            {
                return empty($value) ? '' : $this->decrypted($value);
            }
        }
    }
}

namespace OpenEMR\Common\Csrf {
    const STAND_IN_KEY = 'of the session';

    function token(string $subject): string
    {
        return substr(hash_hmac('sha256', $subject, STAND_IN_KEY), 0, 40);
    }

    if (openemr_standin('version') === '8.1') {
        class CsrfUtils
        {
            public static function collectCsrfToken(
                object $session,
                string $subject = 'default',
            ): string {
                return token($subject);
            }

            public static function verifyCsrfToken(
                $token,
                object $session,
                string $subject = 'default',
            ): bool {
                return hash_equals(token($subject), $token);
            }
        }
    } else {
        class CsrfUtils
        {
            public static function collectCsrfToken($subject = 'default')
            {
                return token($subject);
            }

            public static function verifyCsrfToken($token, $subject = 'default')
            {
                return !empty($token) && hash_equals(token($subject), $token);
            }
        }
    }
}

namespace OpenEMR\Common\Session {
    if (openemr_standin('version') === '8.1') {
        class SessionWrapperFactory
        {
            public static function getInstance(): self
            {
                return new self();
            }

            public function getActiveSession(): object
            {
                return new class () {
                    public function get(string $name, mixed $default = null): mixed
                    {
                        return $name === 'authUserID' ? openemr_standin('user') : $default;
                    }
                };
            }
        }
    }
}

namespace OpenEMR\Core {
    if (openemr_standin('version') === '8.1') {
        class OEGlobalsBag
        {
            public static function getInstance(): self
            {
                return new self();
            }

            public function get(string $name, mixed $default = null): mixed
            {
                return openemr_standin_settings()[$name] ?? $default;
            }
        }
    }
}

namespace OpenEMR\BC {
    if (openemr_standin('version') === '8.1') {
        class ServiceContainer
        {
            public static function getCrypto(): \OpenEMR\Common\Crypto\Crypto
            {
                return new \OpenEMR\Common\Crypto\Crypto();
            }
        }
    }
}

namespace {
    use OpenEMR\Events\Appointments\AppointmentRenderEvent;
    use OpenEMR\Events\Globals\GlobalsInitializedEvent;
    use OpenEMR\Services\Globals\GlobalsService;
    use Symfony\Component\EventDispatcher\EventDispatcher;

    if (openemr_standin('version') !== '8.1') {
        $_SESSION = ['authUserID' => openemr_standin('user'), 'authUser' => 'jsmith'];
        foreach (openemr_standin_settings() as $name => $value) {
            $GLOBALS[$name] = $value;
        }
    }

    $path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
    $module = openemr_standin('root') . '/interface/modules/custom_modules/oe-module-jitsi-join';
    $eventDispatcher = new EventDispatcher();
    if ($path === '/add_edit_event.php') {
        require "{$module}/openemr.bootstrap.php";
        $row = [];
        foreach (openemr_standin('events') as $event) {
            if ((string) $event['pc_eid'] === ($_GET['eid'] ?? '')) {
                $row = array_diff_key($event, ['occurrences' => null]);
            }
        }
        $below = AppointmentRenderEvent::RENDER_BELOW_PATIENT;
        $eventDispatcher->dispatch(new AppointmentRenderEvent($row), $below, 10);
    } elseif ($path === '/settings') {
        require "{$module}/openemr.bootstrap.php";
        $service = new GlobalsService();
        $eventDispatcher->dispatch(
            new GlobalsInitializedEvent($service),
            GlobalsInitializedEvent::EVENT_HANDLE,
        );
        echo json_encode($service->metadata, JSON_THROW_ON_ERROR);
    } elseif ($path === '/csrf') {
        echo OpenEMR\Common\Csrf\token('default');
    } elseif ($path === '/link') {
        require "{$module}/patient_link.php";
        try {
            echo JitsiJoin\patient_link((int) $_GET['eid'], $_GET['date']);
        } catch (RuntimeException $error) {
            http_response_code(500);
            echo $error->getMessage();
        }
    } elseif (str_ends_with($path, '/public/join.php')) {
        require openemr_standin('root') . $path;
    } else {
        http_response_code(404);
    }
}
