<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

/** An appointment that is a video visit, as the calendar has it at this moment. */
final class Visit
{
    private const CANCELLED = ['x', '%', '?', '^'];
    private const DAY_MINUTES = 1440;
    private const LONGEST_MINUTES = 1380;

    /**
     * @param string             $id       the visitId: stays the same when the appointment moves
     * @param list<int>          $eids     its rows, one a provider
     * @param string             $date     of this occurrence, "2026-12-01"
     * @param int                $startsAt epoch seconds
     * @param string             $status   pc_apptstatus
     * @param array<int, string> $providers name by users.id
     * @param array<string, mixed> $patient the row: fname, email, hipaa_allowemail, language
     * @param ?int               $revision when the appointment was saved last, epoch seconds
     */
    public function __construct(
        public readonly string $id,
        public readonly array $eids,
        public readonly string $date,
        public readonly int $startsAt,
        public readonly int $durationMinutes,
        public readonly string $status,
        public readonly int $pid,
        public readonly array $providers,
        public readonly array $patient,
        public readonly ?int $revision,
    ) {
    }

    /** 'cancelled' or 'over' in a state that closes the room, else null. */
    public function closing(): ?string
    {
        if (!in_array($this->status, Settings::closing(), true)) {
            return null;
        }
        return in_array($this->status, self::CANCELLED, true) ? 'cancelled' : 'over';
    }

    /** Why nobody can enter, whatever the time is; null: nothing is in the way. */
    public function refusal(): ?string
    {
        return match (true) {
            $this->closing() === null => $this->hasLength()
                ? null
                : 'Give the appointment a duration of 22 hours at most, and save it.',
            $this->status === '^' => 'This request for an appointment is not confirmed yet.',
            in_array($this->status, ['x', '%'], true) => 'This appointment is cancelled.',
            default => 'The state of this appointment closes the visit.',
        };
    }

    /** When it closes by the calendar, epoch seconds. */
    public function closesAt(): int
    {
        $minutes = $this->durationMinutes + Settings::minutes('overrun', 30);
        return $this->startsAt + $minutes * 60;
    }

    /**
     * The patient's id within the visit. Another patient in the same appointment is another
     * participant, with another link. It does not tell the record's number.
     */
    public function patientId(): string
    {
        return 'patient-' . substr(self::digest($this->pid), 0, 16);
    }

    /** What is sent instead of a patient's record number, in hex digits. */
    public static function digest(int $pid): string
    {
        return hash_hmac('sha256', (string) $pid, Host::installation());
    }

    public static function providerId(int $userId): string
    {
        return "provider-{$userId}";
    }

    /** @return array<string, mixed> the body of PUT: nothing of the record but a first name */
    public function body(): array
    {
        $participants = [];
        foreach ($this->providers as $userId => $name) {
            $participants[] = [
                'participantId' => self::providerId($userId),
                'userName' => $name,
                'isModerator' => true,
            ];
        }
        $language = self::language((string) ($this->patient['language'] ?? ''));
        $participants[] = [
            'participantId' => $this->patientId(),
            'userName' => self::name((string) ($this->patient['fname'] ?? '')) ?: xl('Patient'),
            'isModerator' => false,
        ] + ($language === null ? [] : compact('language'));
        return [
            'startsAt' => $this->begin()->format(DATE_RFC3339),
            'durationMinutes' => $this->durationMinutes,
            'timeZone' => Settings::zone()->getName(),
            'opensBeforeMinutes' => Settings::minutes('opens_before', 15),
            'overrunMinutes' => Settings::minutes('overrun', 30),
            'contact' => Settings::contact(),
            'participants' => $participants,
        ];
    }

    /**
     * Whether a PUT would change what the service has.
     *
     * @param array<string, mixed> $stored as GET or the list answers
     */
    public function differsFrom(array $stored): bool
    {
        $body = $this->body();
        $isSame = strtotime((string) $stored['startsAt']) === $this->startsAt
            && strcasecmp((string) $stored['timeZone'], $body['timeZone']) === 0
            && $stored['state']['status'] !== 'cancelled';
        foreach (['durationMinutes', 'opensBeforeMinutes', 'overrunMinutes'] as $name) {
            $isSame = $isSame && $stored[$name] === $body[$name];
        }
        return !$isSame
            || self::sorted($stored['contact']) !== self::sorted($body['contact'])
            || array_map(self::sorted(...), $stored['participants'] ?? [])
                !== array_map(self::sorted(...), $body['participants']);
    }

    public function begin(): \DateTimeImmutable
    {
        return (new \DateTimeImmutable("@{$this->startsAt}"))->setTimezone(Settings::zone());
    }

    /** For the log: which appointment, without a name. */
    public function described(): string
    {
        return "pc_eid {$this->eids[0]} on {$this->date}";
    }

    /** Without what the service refuses in a name, such as characters that turn the direction. */
    public static function name(string $name): string
    {
        $refused = '/[\p{Cc}\x{2028}-\x{202E}\x{2066}-\x{2069}\x{FFFD}]+/u';
        return trim((string) preg_replace($refused, ' ', $name));
    }

    private function hasLength(): bool
    {
        $window = Settings::minutes('opens_before', 15) + Settings::minutes('overrun', 30);
        return $this->durationMinutes >= 1
            && $this->durationMinutes <= min(self::LONGEST_MINUTES, self::DAY_MINUTES - $window);
    }

    /**
     * @param array<string, mixed> $fields
     *
     * @return array<string, mixed>
     */
    private static function sorted(array $fields): array
    {
        ksort($fields);
        return $fields;
    }

    /** The page's languages, by OpenEMR's names of them. */
    private static function language(string $name): ?string
    {
        $known = ['english' => 'en', 'spanish' => 'es', 'german' => 'de'];
        return $known[strtolower(trim($name))] ?? null;
    }
}
