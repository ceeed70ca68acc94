<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\Appointment;
use JitsiTokens\InvalidRequestException;
use JitsiTokens\Secret;

/** Who is to join what, as the service wants it said. */
final class TokenRequest
{
    private const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
    private const LOWER = 'abcdefghijklmnopqrstuvwxyz';

    /** @param ?array<mixed> $features booleans by Jitsi's names */
    public function __construct(
        #[\SensitiveParameter] private readonly string $roomName,
        #[\SensitiveParameter] private readonly string $userName,
        #[\SensitiveParameter] private readonly ?string $userEmail,
        private readonly bool $isModerator,
        #[\SensitiveParameter] private readonly ?string $userId,
        #[\SensitiveParameter] private readonly ?string $userAvatar,
        private readonly ?Appointment $appointment,
        private readonly ?int $expirationSeconds,
        private readonly ?int $notBefore,
        private readonly ?array $features,
    ) {
    }

    /**
     * The JSON body.
     *
     * @param Secret $idKey makes the userId where none is given
     *
     * @throws InvalidRequestException
     */
    public function body(Secret $idKey): Secret
    {
        $timed = $this->expirationSeconds !== null || $this->notBefore !== null;
        if ($this->appointment !== null && $timed) {
            throw new InvalidRequestException(
                'Give either an appointment, or notBefore and expirationSeconds.',
            );
        }
        $this->checkTexts();
        $this->checkFeatures();
        $when = $this->appointment;
        $fields = [
            'roomName' => $this->roomName,
            'userName' => $this->userName,
            'isModerator' => $this->isModerator,
            'userId' => self::given($this->userId) ?? $this->defaultUserId($idKey),
            'userEmail' => self::given($this->userEmail),
            'userAvatar' => self::given($this->userAvatar),
            'expirationSeconds' => $when?->expirationSeconds ?? $this->expirationSeconds,
            'notBefore' => $when?->notBefore ?? $this->notBefore,
            'features' => $this->features === null ? null : (object) $this->features,
        ];
        $fields = array_filter($fields, static fn (mixed $value): bool => $value !== null);
        return new Secret((string) json_encode($fields, JSON_UNESCAPED_SLASHES));
    }

    private function checkTexts(): void
    {
        $names = ['roomName', 'userName', 'userEmail', 'userId', 'userAvatar'];
        foreach ($names as $name) {
            if (!self::isUtf8($this->$name ?? '')) {
                throw self::notSent("/{$name}", 'must be a string of whole Unicode characters');
            }
        }
    }

    private function checkFeatures(): void
    {
        foreach ($this->features ?? [] as $name => $value) {
            if (!self::isUtf8((string) $name) || !is_bool($value)) {
                throw self::notSent('/features', "must hold true or false by the features' names");
            }
        }
    }

    private function defaultUserId(Secret $key): string
    {
        $person = "name\n{$this->userName}\n{$this->roomName}";
        $email = self::given($this->userEmail);
        if ($email !== null) {
            // Not strtolower(): before PHP 8.2 it depends on the locale.
            $person = "email\n" . strtr($email, self::UPPER, self::LOWER);
        }
        return hash_hmac('sha256', $person, $key->reveal());
    }

    private static function notSent(string $field, string $flaw): InvalidRequestException
    {
        $message = "The request is not sent: {$field} {$flaw}.";
        return new InvalidRequestException($message, field: $field);
    }

    private static function given(#[\SensitiveParameter] ?string $value): ?string
    {
        return $value === '' ? null : $value;
    }

    private static function isUtf8(#[\SensitiveParameter] string $text): bool
    {
        return preg_match('//u', $text) === 1;
    }
}
