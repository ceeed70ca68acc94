<?php

/**
 * Stand-ins for the parts of OpenEMR that the module uses, as a router for PHP's built-in server.
 * They have the names, arguments and results of OpenEMR's own, and nothing of what is behind them:
 *
 *     OPENEMR_STANDIN=scenario.json php -S 127.0.0.1:8080 openemr_standin.php
 *
 * The scenario is read again for each request:
 *
 *     root        OpenEMR's directory; below it the module at its own place, and the three files
 *                 that tests/clients/openemr.py writes: interface/globals.php,
 *                 portal/verify_session.php, library/appointments.inc.php
 *     version     "7.0", "8.0", "8.1" or "8.2": sessions, CSRF, secrets, audit and the loader of
 *                 modules differ
 *     active      whether the module is enabled
 *     user        users.id of who is signed in, or null
 *     pid         the patient who is signed in to the portal, or null
 *     acl         what that user may: a list such as ["patients/appt"]
 *     users       {"7": ["Jane", "Underhill"]}
 *     globals     settings as an administrator typed them; names in "encrypted" are encrypted
 *     encrypted   a list of names
 *     hidden      patients whom another module hides from who is signed in
 *     mailer      what OpenEMR's mailer throws, or null
 *     events      rows of openemr_postcalendar_events, with the names of patient and provider, and
 *                 "occurrences", the dates of a series
 *
 * What happens goes to files beside the scenario: audit, mail, sql (JSON, one a line), done.json.
 */

namespace {
    $scenario = file_get_contents(getenv('OPENEMR_STANDIN'));
    $openemr = json_decode($scenario, true, 32, JSON_THROW_ON_ERROR);

    function openemr_standin(string $name): mixed
    {
        return $GLOBALS['openemr'][$name] ?? null;
    }

    function openemr_standin_note(string $file, array $what): void
    {
        $line = json_encode($what, JSON_THROW_ON_ERROR) . "\n";
        file_put_contents(openemr_standin('root') . "/{$file}", $line, FILE_APPEND | LOCK_EX);
    }

    function openemr_standin_is(string $version): bool
    {
        return version_compare(openemr_standin('version'), $version, '>=');
    }

    /** interface/globals.php: without a login the script ends here. */
    function openemr_standin_globals(bool $isPortal = false): void
    {
        if (!$isPortal && openemr_standin('user') === null) {
            http_response_code(302);
            header('Location: /interface/login/login.php');
            exit;
        }
        openemr_standin_load();
    }

    /** src/Core/ModulesApplication.php: up to 8.0 an Error in a module's file ends OpenEMR. */
    function openemr_standin_load(): void
    {
        if (!openemr_standin('active')) {
            return;
        }
        $eventDispatcher = new Symfony\Component\EventDispatcher\EventDispatcher();
        $GLOBALS['dispatcher'] = $eventDispatcher;
        try {
            include openemr_standin_module('openemr.bootstrap.php');
        } catch (Exception $error) {
            error_log($error->getMessage());
        } catch (Error $error) {
            if (!openemr_standin_is('8.1')) {
                throw $error;
            }
            error_log($error->getMessage());
        }
    }

    function openemr_standin_module(string $file): string
    {
        $modules = openemr_standin('root') . '/interface/modules/custom_modules';
        return "{$modules}/oe-module-jitsi-tokens/{$file}";
    }

    /** portal/verify_session.php; 8.0 looks which session the cookie App names. */
    function openemr_standin_verify(string $landingpage): int
    {
        $isPortal = openemr_standin('version') !== '8.0' || $_COOKIE['App'] === 'PortalOpenEMR';
        if (openemr_standin('pid') === null || !$isPortal) {
            http_response_code(302);
            header("Location: {$landingpage}");
            exit;
        }
        openemr_standin_globals(isPortal: true);
        return openemr_standin('pid');
    }

    function xlt(string $text): string
    {
        return htmlspecialchars($text, ENT_NOQUOTES);
    }

    function text(mixed $text): string
    {
        return htmlspecialchars((string) $text, ENT_NOQUOTES);
    }

    function xl(string $text): string
    {
        return $text;
    }

    function attr(mixed $text): string
    {
        return htmlspecialchars((string) $text, ENT_QUOTES);
    }

    function xla(string $text): string
    {
        return attr($text);
    }

    /** library/appointments.inc.php: what takes place between two dates. */
    function fetchAppointments($from, $to, $patient = null, $provider = null): array
    {
        $filter = new OpenEMR\Events\BoundFilter();
        $filter->setBoundValues(openemr_standin('hidden') ?? []);
        $filter->setFilterClause('p.pid NOT IN (…)');
        $filtering = new OpenEMR\Events\Appointments\AppointmentsFilterEvent($filter);
        $GLOBALS['dispatcher']->dispatch($filtering, 'appointments.customFilter', 10);
        $found = [];
        foreach (openemr_standin('events') as $event) {
            $isOther = $patient && (string) $patient !== (string) $event['pc_pid'];
            $isHidden = in_array($event['pc_pid'], $filter->getBoundValues(), true);
            if ($isOther || $isHidden || $event['pc_pid'] === '') {
                continue;
            }
            foreach ($event['occurrences'] ?? [$event['pc_eventDate']] as $date) {
                if ($from <= $date && $date <= $to) {
                    // Of these the real one selects none.
                    $hidden = ['pc_aid', 'pc_pid', 'pc_multiple', 'pc_time', 'language'];
                    $row = array_diff_key($event, array_flip([...$hidden, 'occurrences']));
                    $mine = ['pc_eventDate' => $date, 'uprovider_id' => $event['pc_aid']];
                    $found[] = $mine + ['pid' => $event['pc_pid']] + $row;
                }
            }
        }
        return $found;
    }

    /** library/sql.inc.php, for the module's own statements. */
    function sqlStatement($sql, $binds = [])
    {
        $events = array_column(openemr_standin('events'), null, 'pc_eid');
        $done = openemr_standin('root') . '/done.json';
        $rows = [];
        if (str_starts_with($sql, 'SELECT mod_active')) {
            $rows = [['mod_active' => (int) openemr_standin('active')]];
        } elseif (str_starts_with($sql, 'SELECT pc_eid, pc_eventDate')) {
            $column = str_contains($sql, 'pc_multiple = ?') ? 'pc_multiple' : 'pc_eid';
            $rows = array_filter($events, fn ($one) => (string) $one[$column] === $binds[0]);
            ksort($rows);
        } elseif (str_starts_with($sql, 'SELECT e.pc_eid')) {
            $names = array_flip(['pc_eid', 'pc_time', 'pc_multiple', 'language']);
            foreach (array_intersect_key($events, array_flip($binds)) as $event) {
                $rows[] = array_intersect_key($event, $names);
            }
        } elseif (str_contains($sql, 'WHERE pc_multiple IN')) {
            $is = fn (array $one): bool => in_array($one['pc_multiple'], $binds, true);
            $rows = array_filter($events, $is);
        } elseif (str_starts_with($sql, 'SELECT fname, lname FROM users')) {
            [$first, $last] = openemr_standin('users')[$binds[0]];
            $rows = [['fname' => $first, 'lname' => $last]];
        } elseif (str_starts_with($sql, 'SELECT GET_LOCK')) {
            $GLOBALS['lock'] = fopen(openemr_standin('root') . '/lock', 'c');
            $rows = [['isMine' => (int) flock($GLOBALS['lock'], LOCK_EX | LOCK_NB)]];
        } elseif (str_starts_with($sql, 'SELECT gl_value')) {
            preg_match("/gl_name = '(\w+)'/", $sql, $name);
            $rows = [['gl_value' => openemr_standin('globals')[$name[1]]]];
        } elseif (str_starts_with($sql, 'SELECT pc_catid')) {
            $rows = [
                ['pc_catid' => 5, 'pc_catname' => 'Office Visit'],
                ['pc_catid' => 16, 'pc_catname' => 'Video'],
            ];
        } elseif (str_contains($sql, 'jitsi_tokens_done')) {
            $file = fopen($done, 'c+');
            flock($file, LOCK_EX);
            $table = json_decode(stream_get_contents($file) ?: '{}', true);
            if (str_starts_with($sql, 'SELECT at')) {
                $rows = isset($table[$binds[0]]) ? [['at' => $table[$binds[0]]]] : [];
            } elseif (str_starts_with($sql, 'REPLACE')) {
                $table[$binds[0]] = $binds[1];
            } elseif (str_contains($sql, 'WHERE name')) {
                unset($table[$binds[0]]);
            } else {
                $table = array_filter($table, fn ($at) => $at >= $binds[0]);
            }
            ftruncate($file, 0);
            rewind($file);
            fwrite($file, json_encode((object) $table));
        } elseif (str_contains($sql, 'background_services')) {
            openemr_standin_note('sql', [$sql, $binds]);
        } else {
            throw new LogicException("the stand-in does not know: {$sql}");
        }
        return new ArrayIterator(array_values($rows));
    }

    function sqlFetchArray($found)
    {
        $row = $found->current() ?? false;
        $found->next();
        return $row;
    }

    function sqlQuery($sql, $binds = [])
    {
        return sqlFetchArray(sqlStatement($sql, $binds));
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
        $folders = ['srcdir' => "{$root}/library", 'OE_SITE_DIR' => "{$root}/sites/default"];
        return $settings + ['webroot' => ''] + $folders;
    }
}

namespace Symfony\Component\EventDispatcher {
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

    class GenericEvent
    {
    }
}

namespace OpenEMR\Events {
    class BoundFilter
    {
        private $boundValues = [];

        public function setFilterClause($filterClause)
        {
        }

        public function getBoundValues()
        {
            return $this->boundValues;
        }

        public function setBoundValues($boundValues)
        {
            $this->boundValues = $boundValues;
        }
    }
}

namespace OpenEMR\Events\Appointments {
    class AppointmentsFilterEvent
    {
        public function __construct(private \OpenEMR\Events\BoundFilter $boundFilter)
        {
        }

        public function getBoundFilter()
        {
            return $this->boundFilter;
        }
    }

    class AppointmentRenderEvent
    {
        public const RENDER_BELOW_PATIENT = 'appointment.render.below.patient';

        public function __construct(private $appt)
        {
        }

        public function getAppt(): array
        {
            return $this->appt;
        }
    }

    class AppointmentSetEvent
    {
        public $eid;

        public function __construct(private $post)
        {
        }

        public function setEventId($eid)
        {
            $this->eid = $eid;
        }
    }

    class AppointmentDialogCloseEvent
    {
        private $pc_eid;

        public function setAppointmentId($pc_eid)
        {
            $this->pc_eid = $pc_eid;
        }

        public function getAppointmentId()
        {
            return $this->pc_eid;
        }
    }

    class CalendarUserGetEventsFilter
    {
        private $eventsByDays;

        public function getEventsByDays(): array
        {
            return $this->eventsByDays;
        }

        public function setEventsByDays(array $eventsByDays): self
        {
            $this->eventsByDays = $eventsByDays;
            return $this;
        }
    }
}

namespace OpenEMR\Events\Core {
    class ScriptFilterEvent
    {
        private $scripts = [];

        public function __construct(private string $pageName)
        {
        }

        public function getPageName(): string
        {
            return $this->pageName;
        }

        public function getScripts(): array
        {
            return $this->scripts;
        }

        public function setScripts(array $scripts): self
        {
            $this->scripts = $scripts;
            return $this;
        }
    }

    class TwigEnvironmentEvent
    {
        public function __construct(private object $twig)
        {
        }

        public function getTwigEnvironment()
        {
            return $this->twig;
        }
    }
}

namespace OpenEMR\Events\PatientPortal {
    class AppointmentFilterEvent
    {
        public function __construct(private $dbRecord, private $appointment)
        {
        }

        public function getDbRecord(): array
        {
            return $this->dbRecord;
        }

        public function getAppointment(): array
        {
            return $this->appointment;
        }

        public function setAppointment(array $appointment): self
        {
            $this->appointment = $appointment;
            return $this;
        }
    }
}

namespace OpenEMR\Services {
    class AppointmentService
    {
    }

    class PatientTrackerService
    {
    }
}

namespace OpenEMR\Events\Services {
    class ServiceSaveEvent
    {
        public function __construct(private object $service, private $saveData)
        {
        }

        public function getService()
        {
            return $this->service;
        }

        public function getSaveData()
        {
            return $this->saveData;
        }
    }

    class ServiceDeleteEvent
    {
        public function __construct(private object $service, private $recordId)
        {
        }

        public function getService()
        {
            return $this->service;
        }

        public function getRecordId()
        {
            return $this->recordId;
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
        }
    }
}

namespace OpenEMR\Events\Globals {
    class GlobalsInitializedEvent
    {
        public function __construct(private object $service)
        {
        }

        public function getGlobalsService(): object
        {
            return $this->service;
        }
    }
}

namespace OpenEMR\Common\Uuid {
    class UniqueInstallationUuid
    {
        public static function getUniqueInstallationUuid()
        {
            return $GLOBALS['openemr']['globals']['unique_installation_id'] = 'made by OpenEMR';
        }
    }
}

namespace OpenEMR\Common\Acl {
    class AclMain
    {
        public static function aclCheckCore($section, $value, $user = '', $return_value = ''): bool
        {
            return in_array("{$section}/{$value}", openemr_standin('acl'), true);
        }
    }

    class AclExtended
    {
        public static function addObjectSectionAcl($name, $title)
        {
            echo "The '$title' object section has been successfully added.</BR>";
        }

        public static function addObjectAcl(
            $section_name,
            $section_title,
            $object_name,
            $object_title,
        ) {
            echo "The '$object_title' object has been successfully added.</BR>";
            openemr_standin_note('sql', ['acl', $section_name, $object_name]);
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

    if (openemr_standin_is('8.1')) {
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

namespace OpenEMR\Common\Logging {
    trait StandInAudit
    {
        public function newEvent(
            $event,
            $user,
            $groupname,
            $success,
            $comments = '',
            $patient_id = null,
            $log_from = 'open-emr',
        ) {
            $line = [$event, $user, $success, $comments, $patient_id, $log_from];
            openemr_standin_note('audit', $line);
        }
    }

    if (openemr_standin_is('8.0')) {
        class EventAuditLogger
        {
            use StandInAudit;

            public static function getInstance(): self
            {
                return new self();
            }
        }
    } else {
        class EventAuditLogger
        {
            use StandInAudit;

            public static function instance(): self
            {
                return new self();
            }
        }
    }
}

namespace OpenEMR\Common\Session {
    class StandInSession
    {
        public function get(string $name, mixed $default = null): mixed
        {
            $isPortal = openemr_standin('pid') !== null;
            return match ($name) {
                'authUserID' => openemr_standin('user') ?? $default,
                'authUser' => $isPortal ? $default : 'jsmith',
                'pid' => openemr_standin('pid') ?? $default,
                'portal_username' => $isPortal ? 'joan1' : $default,
                'csrf_private_key' => $isPortal ? 'of the portal' : 'of the staff',
                default => $default,
            };
        }
    }

    if (openemr_standin_is('8.1')) {
        class SessionWrapperFactory
        {
            public static function getInstance(): self
            {
                return new self();
            }

            public function getActiveSession(): StandInSession
            {
                return new StandInSession();
            }
        }
    } elseif (openemr_standin_is('8.0')) {
        class SessionWrapperFactory
        {
            public static function getInstance(): self
            {
                return new self();
            }

            public function getWrapper(): self
            {
                return $this;
            }

            public function getSymfonySession(): ?StandInSession
            {
                return openemr_standin('pid') === null ? null : new StandInSession();
            }
        }
    }
}

namespace OpenEMR\Common\Csrf {
    use OpenEMR\Common\Session\StandInSession;

    function token(string $subject, ?StandInSession $session): string|false
    {
        $key = $session
            ? $session->get('csrf_private_key')
            : ($_SESSION['csrf_private_key'] ?? null);
        return $key === null ? false : substr(hash_hmac('sha256', $subject, $key), 0, 40);
    }

    if (openemr_standin_is('8.1')) {
        class CsrfUtils
        {
            public static function collectCsrfToken(
                StandInSession $session,
                string $subject = 'default',
            ): string {
                return token($subject, $session);
            }

            public static function verifyCsrfToken(
                $token,
                StandInSession $session,
                string $subject = 'default',
            ): bool {
                return hash_equals(token($subject, $session), $token);
            }
        }
    } else {
        class CsrfUtils
        {
            public static function collectCsrfToken(
                $subject = 'default',
                ?StandInSession $session = null,
            ) {
                return token($subject, $session);
            }

            public static function verifyCsrfToken(
                $token,
                $subject = 'default',
                ?StandInSession $session = null,
            ) {
                $right = token($subject, $session);
                return $right !== false && !empty($token) && hash_equals($right, $token);
            }
        }
    }
}

namespace OpenEMR\BC {
    if (openemr_standin_is('8.1')) {
        class ServiceContainer
        {
            public static function getCrypto(): \OpenEMR\Common\Crypto\Crypto
            {
                return new \OpenEMR\Common\Crypto\Crypto();
            }
        }
    }
}

namespace OpenEMR\Core {
    abstract class AbstractModuleActionListener
    {
        public function __construct()
        {
        }

        abstract public function moduleManagerAction(
            $methodName,
            $modId,
            string $currentActionStatus = 'Success',
        ): string;

        abstract protected static function getModuleNamespace(): string;

        abstract protected static function initListenerSelf();
    }
}

namespace {
    use OpenEMR\Events\Appointments\AppointmentDialogCloseEvent;
    use OpenEMR\Events\Appointments\AppointmentRenderEvent;
    use OpenEMR\Events\Appointments\AppointmentSetEvent;
    use OpenEMR\Events\Appointments\CalendarUserGetEventsFilter;
    use OpenEMR\Events\Core\ScriptFilterEvent;
    use OpenEMR\Events\Core\TwigEnvironmentEvent;
    use OpenEMR\Events\Globals\GlobalsInitializedEvent;
    use OpenEMR\Events\PatientPortal\AppointmentFilterEvent;
    use OpenEMR\Events\Services\ServiceDeleteEvent;
    use OpenEMR\Events\Services\ServiceSaveEvent;
    use OpenEMR\Services\AppointmentService;
    use OpenEMR\Services\Globals\GlobalsService;
    use OpenEMR\Services\PatientTrackerService;
    use Symfony\Component\EventDispatcher\GenericEvent;

    /** library/classes/postmaster.php */
    class MyMailer
    {
        public $Subject;
        public $Body;
        public $AltBody;
        public $Timeout = 300;
        private array $mail = [];

        public static function isConfigured()
        {
            return !empty($GLOBALS['SMTP_SECURE']);
        }

        public function setFrom($address, $name = '')
        {
            $this->mail['from'] = [$address, $name];
        }

        public function addAddress($address)
        {
            $this->mail['to'] = $address;
        }

        public function isHTML($isHtml = true)
        {
        }

        public function send()
        {
            if (openemr_standin('mailer') !== null) {
                throw new RuntimeException(openemr_standin('mailer'));
            }
            $this->mail['seconds'] = $this->Timeout;
            $text = ['subject' => $this->Subject, 'html' => $this->Body, 'text' => $this->AltBody];
            openemr_standin_note('mail', $this->mail + $text);
            return true;
        }
    }

    class StandInLoader
    {
        public array $paths = ['__main__' => ['/openemr/templates']];

        public function getLoader(): self
        {
            return $this;
        }

        public function getPaths(string $namespace = '__main__'): array
        {
            return $this->paths[$namespace];
        }

        public function setPaths(array $paths, string $namespace = '__main__'): void
        {
            $this->paths[$namespace] = $paths;
        }

        public function prependPath(string $path): void
        {
            array_unshift($this->paths['__main__'], $path);
        }
    }

    foreach (openemr_standin_settings() as $name => $value) {
        if ($name !== 'gbl_time_zone') {
            $GLOBALS[$name] = $value;
        } elseif ($value !== '') {
            date_default_timezone_set($value);
        }
    }
    if (str_starts_with($_SERVER['REQUEST_URI'], '/portal/')) {
        $_COOKIE['App'] = 'PortalOpenEMR';    // by the portal's login
    }
    $isPortal = openemr_standin('pid') !== null;
    // 8.0 has what belongs to patients, and 8.1 everything, in a session object.
    if (!openemr_standin_is($isPortal ? '8.0' : '8.1')) {
        $_SESSION = $isPortal
            ? ['pid' => openemr_standin('pid'), 'portal_username' => 'joan1']
            : ['authUserID' => openemr_standin('user'), 'authUser' => 'jsmith'];
        $_SESSION['csrf_private_key'] = $isPortal ? 'of the portal' : 'of the staff';
    }

    $path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
    $dispatch = static fn (object $event, string $name): object =>
        $GLOBALS['dispatcher']->dispatch($event, $name);
    $rows = array_column(openemr_standin('events'), null, 'pc_eid');
    $row = array_diff_key($rows[$_GET['eid'] ?? ''] ?? [], ['occurrences' => 0]);
    $json = static fn (mixed $value) => print json_encode($value, JSON_THROW_ON_ERROR);

    if (str_starts_with($path, '/interface/modules/')) {
        require openemr_standin('root') . $path;
        return;
    }
    if ($path === '/portal/home.php') {
        $pid = openemr_standin_verify('/portal/index.php');
        $dispatch(new GenericEvent(), 'home.dashboard.inject.card');
        return;
    }
    if ($path === '/portal/appointment') {
        $pid = openemr_standin_verify('/portal/index.php');
        $event = new AppointmentFilterEvent($row, ['pc_eid' => $row['pc_eid']]);
        $json($dispatch($event, 'home.appointment.filter')->getAppointment());
        return;
    }
    openemr_standin_globals(isPortal: $path === '/run');
    if (!isset($GLOBALS['dispatcher'])) {
        return;
    }
    if ($path === '/add_edit_event.php') {
        $dispatch(new AppointmentRenderEvent($row), AppointmentRenderEvent::RENDER_BELOW_PATIENT);
    } elseif ($path === '/settings') {
        $service = new GlobalsService();
        $dispatch(new GlobalsInitializedEvent($service), 'globals.initialized');
        $json($service->metadata);
    } elseif ($path === '/calendar') {
        $entries = [];
        foreach ($rows as $one) {
            $entry = ['eid' => $one['pc_eid'], 'aid' => $one['pc_aid'], 'pid' => $one['pc_pid']];
            $entry += ['catid' => $one['pc_catid'], 'apptstatus' => $one['pc_apptstatus']];
            $entries[$one['pc_eventDate']][] = $entry;
        }
        $event = (new CalendarUserGetEventsFilter())->setEventsByDays($entries);
        $dispatch($event, 'postcalendar_userapi_pcGetEvents.filter');
        $scripts = $dispatch(new ScriptFilterEvent('pnuserapi.php'), 'html.head.script.filter');
        $json(['days' => $event->getEventsByDays(), 'scripts' => $scripts->getScripts()]);
    } elseif ($path === '/twig') {
        $loader = new StandInLoader();
        foreach ([1, 2] as $_) {
            $dispatch(new TwigEnvironmentEvent($loader), 'core.twig.environment.create');
        }
        $json($loader->paths);
    } elseif ($path === '/save') {
        $saved = new AppointmentSetEvent([]);
        $saved->setEventId((int) $_GET['eid']);
        $dispatch($saved, 'appointment.set');
        $close = new AppointmentDialogCloseEvent();
        $close->setAppointmentId($_GET['eid']);
        $dispatch($close, 'openemr.appointment.add_edit_event.close.before');
    } elseif ($path === '/board') {
        $tracker = ['eid' => $_GET['eid']];
        $dispatch(new ServiceSaveEvent(new PatientTrackerService(), $tracker), 'service.save.post');
    } elseif ($path === '/delete') {
        $event = new ServiceDeleteEvent(new AppointmentService(), $_GET['eid']);
        $dispatch($event, 'service.delete.pre');
        $isKept = fn (array $one): bool => (string) $one['pc_eid'] !== $_GET['eid'];
        $openemr['events'] = array_filter($openemr['events'], $isKept);
        $dispatch($event, 'service.delete.post');
    } elseif ($path === '/run') {
        jitsi_tokens_compare();
    } elseif ($path === '/manage') {
        require openemr_standin_module('ModuleManagerListener.php');
        $listener = ModuleManagerListener::initListenerSelf();
        echo $listener->moduleManagerAction($_GET['action'], '3', 'Success');
    } else {
        echo 'OpenEMR';
    }
}
