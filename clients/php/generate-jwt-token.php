<?php

/**
 * generate_jwt_token(), as the function of this name that signed by itself, and its command line.
 * The token is the service's; address and API key are read from the environment (README.md).
 */

declare(strict_types=1);

use JitsiTokens\Client;
use JitsiTokens\Internal\CommandLine;
use JitsiTokens\InvalidRequestException;

/**
 * A token for one user in one room, for an hour from now on.
 *
 * @param mixed $isModerator true or false, or a word in their place, in any case of letters:
 *                           1, true, on, yes; 0, false, off, no, '' or null. Anything else is
 *                           refused.
 *
 * @throws JitsiTokens\JitsiTokensException
 */
function generate_jwt_token(
    #[\SensitiveParameter] string $roomName,
    #[\SensitiveParameter] string $userName,
    #[\SensitiveParameter] ?string $userEmail,
    mixed $isModerator = false,
): string {
    static $client = new Client();
    // PHP would take 'false', of a form or a database, for true.
    $role = filter_var($isModerator ?? false, FILTER_VALIDATE_BOOL, FILTER_NULL_ON_FAILURE);
    if ($role === null) {
        throw new InvalidRequestException(
            'The request is not sent: /isModerator must be true or false.',
            field: '/isModerator',
        );
    }
    return $client->issue($roomName, $userName, $userEmail, $role)->token;
}

// In a function, as the including script may have variables of the same names.
(static function (): void {
    $isRun = PHP_SAPI === 'cli' && realpath($_SERVER['SCRIPT_FILENAME'] ?? '') === __FILE__;
    // Beside this file, else Composer's: this is vendor/jitsi-tokens/client then.
    $folders = [__DIR__, dirname(__DIR__, 2), dirname(__DIR__, 3) . '/vendor'];
    foreach ($folders as $folder) {
        if (!class_exists(Client::class) && is_file("{$folder}/autoload.php")) {
            require_once "{$folder}/autoload.php";
        }
    }
    if (!class_exists(Client::class)) {
        $flaw = 'generate-jwt-token.php needs autoload.php and src beside it.';
        if (!$isRun) {
            throw new RuntimeException($flaw);
        }
        fwrite(STDERR, "{$flaw}\n");
        exit(1);
    }
    if ($isRun) {
        exit((new CommandLine(new Client()))->run(array_slice($_SERVER['argv'], 1)));
    }
})();
