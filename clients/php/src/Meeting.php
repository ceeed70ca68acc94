<?php

declare(strict_types=1);

namespace JitsiTokens;

/**
 * A token and where to use it. Anyone who has the token, or the URL, joins as that user.
 *
 * @property-read string $token
 * @property-read string $meetingUrl the room's address with the token, for the browser
 */
final class Meeting
{
    /**
     * @param int    $expiresAt epoch seconds
     * @param int    $notBefore epoch seconds
     * @param string $roomName  the room as Jitsi compares it
     */
    public function __construct(
        private readonly Secret $token,
        private readonly Secret $meetingUrl,
        public readonly int $expiresAt,
        public readonly int $notBefore,
        public readonly string $roomName,
    ) {
    }

    public function __get(string $name): string
    {
        return match ($name) {
            'token' => $this->token->reveal(),
            'meetingUrl' => $this->meetingUrl->reveal(),
            default => throw new \LogicException('A Meeting has no such property.'),
        };
    }

    public function __isset(string $name): bool
    {
        return in_array($name, ['token', 'meetingUrl'], true);
    }

    /** @return array<string, int> */
    public function __debugInfo(): array
    {
        return ['expiresAt' => $this->expiresAt, 'notBefore' => $this->notBefore];
    }
}
