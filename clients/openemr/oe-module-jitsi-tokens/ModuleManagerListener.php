<?php

use OpenEMR\Common\Acl\AclExtended;
use OpenEMR\Core\AbstractModuleActionListener;

/** What Manage Modules calls after Enable, Disable and Unregister. */
class ModuleManagerListener extends AbstractModuleActionListener
{
    public function moduleManagerAction(
        $methodName,
        $modId,
        string $currentActionStatus = 'Success'
    ): string {
        try {
            switch ($methodName) {
                case 'enable':
                    self::addAcl();
                    // A service whose function was missing for a while still counts as running.
                    sqlStatement(
                        'UPDATE background_services SET active = 1, running = 0 WHERE name = ?',
                        ['Jitsi_Tokens'],
                    );
                    break;
                case 'disable':
                    sqlStatement(
                        'UPDATE background_services SET active = 0 WHERE name = ?',
                        ['Jitsi_Tokens'],
                    );
                    break;
                case 'unregister':
                    sqlStatement(
                        'DELETE FROM background_services WHERE name = ?',
                        ['Jitsi_Tokens'],
                    );
            }
        } catch (\Throwable $error) {
            $place = basename($error->getFile()) . ":{$error->getLine()}";
            error_log('jitsi-tokens: ' . get_class($error) . " at {$place}");
        }
        return $currentActionStatus;
    }

    public static function getModuleNamespace(): string
    {
        return '';
    }

    public static function initListenerSelf(): self
    {
        return new self();
    }

    /** Who may join others' visits as moderator. It is given to nobody: administrators have it. */
    private static function addAcl(): void
    {
        ob_start();    // It prints what it does, and the answer here is JSON.
        try {
            AclExtended::addObjectSectionAcl('jitsi_tokens', 'Video visits');
            AclExtended::addObjectAcl(
                'jitsi_tokens',
                'Video visits',
                'moderate',
                'Join the video visits of other providers as moderator',
            );
        } finally {
            ob_end_clean();
        }
    }
}
