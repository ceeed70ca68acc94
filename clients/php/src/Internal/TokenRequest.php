<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\Appointment;
use JitsiTokens\InvalidRequestException;
use JitsiTokens\Secret;

/** The arguments of Client::issue(). */
final class TokenRequest
{
    public const PATH = '/api/jitsi/jwt';

    /** @param ?array<string, bool> $features by Jitsi's names */
    public function __construct(
        private readonly string $roomName,
        private readonly string $userName,
        private readonly ?string $userEmail,
        private readonly bool $isModerator,
        private readonly ?string $userId,
        private readonly ?string $userAvatar,
        private readonly ?Appointment $appointment,
        private readonly ?int $expirationSeconds,
        private readonly ?int $notBefore,
        private readonly ?array $features,
    ) {
    }

    /**
     * The fields of the request.
     *
     * @param Secret $idKey derives the userId where none is given
     *
     * @return array<string, mixed>
     *
     * @throws InvalidRequestException
     */
    public function document(Secret $idKey): array
    {
        $when = $this->appointment;
        if ($when !== null && ($this->expirationSeconds !== null || $this->notBefore !== null)) {
            throw new InvalidRequestException(
                'Give either an appointment, or notBefore and expirationSeconds.',
            );
        }
        $fields = [
            'userId' => self::given($this->userId) ?? $this->derivedUserId($idKey),
            'userName' => $this->userName,
            'roomName' => $this->roomName,
            'userEmail' => self::given($this->userEmail),
            'userAvatar' => self::given($this->userAvatar),
            'isModerator' => $this->isModerator,
            'notBefore' => $when?->notBefore ?? $this->notBefore,
            'expirationSeconds' => $when?->expirationSeconds ?? $this->expirationSeconds,
            'features' => $this->features === null ? null : (object) $this->features,
        ];
        return array_filter($fields, static fn (mixed $value): bool => $value !== null);
    }

    /** Stable for a user, without naming the user. */
    private function derivedUserId(Secret $key): string
    {
        $email = self::given($this->userEmail);
        $message = $email === null
            ? "name\n{$this->userName}\n{$this->roomName}"
            : "email\n" . Address::lowerCase($email);
        return hash_hmac('sha256', $message, $key->reveal());
    }

    private static function given(?string $value): ?string
    {
        return $value === '' ? null : $value;
    }
}
