<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\Client;
use JitsiTokens\JitsiTokensException;
use JitsiTokens\UnavailableException;

/** The command line of generate-jwt-token.php. */
final class CommandLine
{
    private const USAGE = "usage: php generate-jwt-token.php <room> <name> <email> [true|false]\n";
    private const HELP = <<<'TEXT'

        Prints a meeting URL and its token, for an hour from now on. The last word says whether
        the user is a moderator (default: false). An empty <email> ("") is none.

        environment, each also as <NAME>_FILE, the name of a file:
          JITSI_TOKENS_URL      the service's address, up to /api/jitsi/jwt
          JITSI_TOKENS_API_KEY  an API key of the service
          JITSI_TOKENS_ID_KEY   makes user ids that outlive the API key (optional)

        exit status: 0; 1 refused or unprinted; 2 wrong usage; 3 no answer now, so try again later

        TEXT;
    private const WORDS = ['true' => true, '1' => true, 'false' => false, '0' => false];

    public function __construct(private readonly Client $client)
    {
    }

    /**
     * @param list<string> $arguments without the script's name
     *
     * @return int the exit status
     */
    public function run(#[\SensitiveParameter] array $arguments): int
    {
        if (in_array($arguments, [['--help'], ['-h']], true)) {
            return self::print(self::USAGE . self::HELP);
        }
        $isModerator = self::WORDS[$arguments[3] ?? 'false'] ?? null;
        if (!in_array(count($arguments), [3, 4], true) || $isModerator === null) {
            self::complain(self::USAGE);
            return 2;
        }
        [$room, $name, $email] = $arguments;
        try {
            $meeting = $this->client->issue($room, $name, $email, $isModerator);
            return self::print("Meeting URL: {$meeting->meetingUrl}\nToken: {$meeting->token}\n");
        } catch (JitsiTokensException $error) {
            self::complain("{$error->getMessage()}\n");
            return $error instanceof UnavailableException ? 3 : 1;
        }
    }

    /** @return int the exit status */
    private static function print(string $text): int
    {
        if (@fwrite(STDOUT, $text) === strlen($text)) {
            return 0;
        }
        self::complain("Standard output cannot be written.\n");
        return 1;
    }

    private static function complain(string $text): void
    {
        // Where this cannot be written either, the exit status has to do.
        @fwrite(STDERR, $text);
    }
}
