<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

use JitsiTokens\Secret;
use OpenEMR\BC\ServiceContainer;
use OpenEMR\Common\Acl\AclMain;
use OpenEMR\Common\Crypto\CryptoGen;
use OpenEMR\Common\Csrf\CsrfUtils;
use OpenEMR\Common\Logging\EventAuditLogger;
use OpenEMR\Common\Session\SessionWrapperFactory;
use OpenEMR\Common\Uuid\UniqueInstallationUuid;

/** What the releases of OpenEMR do differently: session, CSRF, secrets, audit. */
final class Host
{
    private const TITLE = 'video-visit';

    /** users.id of who is signed in; 0: nobody, or a patient. */
    public static function userId(): int
    {
        return (int) self::ofSession('authUserID');
    }

    /** The name of this site of OpenEMR, "default" mostly. */
    public static function site(): string
    {
        return basename((string) $GLOBALS['OE_SITE_DIR']);
    }

    /** An id of this OpenEMR. OpenEMR makes it when it is first asked, on its page About mostly. */
    public static function installation(): string
    {
        $id = (string) ($GLOBALS['unique_installation_id'] ?? '');
        if ($id === '') {
            UniqueInstallationUuid::getUniqueInstallationUuid();
            // What it returns is another one each time, where its row is missing.
            $sql = "SELECT gl_value FROM globals WHERE gl_name = 'unique_installation_id'";
            $id = (string) (sqlQuery($sql)['gl_value'] ?? '');
        }
        return $id;
    }

    public static function csrfToken(): string
    {
        $session = self::session();
        return (string) ($session
            ? CsrfUtils::collectCsrfToken(session: $session)
            : CsrfUtils::collectCsrfToken());
    }

    public static function csrfIsRight(string $token): bool
    {
        $session = self::session();
        return $token !== '' && ($session
            ? CsrfUtils::verifyCsrfToken(token: $token, session: $session)
            : CsrfUtils::verifyCsrfToken($token));
    }

    /** What the dialog of an appointment itself demands. */
    public static function mayEditAppointments(): bool
    {
        return self::userId() !== 0
            && AclMain::aclCheckCore('patients', 'appt', '', ['write', 'wsome']);
    }

    /** Whether the user may join the visits of others as moderator. */
    public static function mayModerate(): bool
    {
        return self::userId() !== 0 && AclMain::aclCheckCore('jitsi_tokens', 'moderate');
    }

    public static function mayManageModules(): bool
    {
        return self::userId() !== 0 && AclMain::aclCheckCore('admin', 'manage_modules');
    }

    /** A setting of the type `encrypted`. */
    public static function decrypted(string $value): Secret
    {
        $isNew = method_exists(ServiceContainer::class, 'getCrypto');
        $crypto = $isNew ? ServiceContainer::getCrypto() : new CryptoGen();
        return new Secret((string) (method_exists($crypto, 'decryptFromDatabase')
            ? $crypto->decryptFromDatabase($value)
            : $crypto->decryptStandard($value)));
    }

    /** A line in OpenEMR's own log: who did what, or was refused what, for which patient. */
    public static function audit(bool $isAllowed, string $what, ?int $pid = null): void
    {
        $logger = method_exists(EventAuditLogger::class, 'getInstance')
            ? EventAuditLogger::getInstance()
            : EventAuditLogger::instance();
        $isPatient = self::userId() === 0 && self::ofSession('pid') !== null;
        $logger->newEvent(
            self::TITLE,
            (string) self::ofSession($isPatient ? 'portal_username' : 'authUser'),
            (string) self::ofSession('authProvider'),
            (int) $isAllowed,
            $what,
            $pid,
            $isPatient ? 'patient-portal' : 'open-emr',
        );
    }

    private static function ofSession(string $name): mixed
    {
        $session = self::session();
        return $session ? $session->get($name) : ($_SESSION[$name] ?? null);
    }

    /** 8.1 and later: of staff and patients; 8.0: of patients alone; before: $_SESSION. */
    private static function session(): ?object
    {
        if (!class_exists(SessionWrapperFactory::class)) {
            return null;
        }
        $factory = SessionWrapperFactory::getInstance();
        return method_exists($factory, 'getActiveSession')
            ? $factory->getActiveSession()
            : $factory->getWrapper()->getSymfonySession();
    }
}
