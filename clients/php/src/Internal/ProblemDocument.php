<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\Secret;

/** What the service says about a refusal (RFC 9457), as far as it may be shown. */
final class ProblemDocument
{
    private const TYPES = 'urn:jitsi-tokens:problem:';
    private const MAX_DETAIL_CHARACTERS = 300;
    private const TOKEN_OR_LINK = '/eyJ[A-Za-z0-9_-]{8,}|jtv_/';

    public readonly ?string $detail;

    /** The JSON pointer of the first field at fault. */
    public readonly ?string $field;

    /** Whether the answer is the service's own, not that of something before it. */
    public readonly bool $isOurs;

    /** The end of its type. */
    public readonly ?string $kind;

    /** When the visit opens, in epoch seconds. */
    public readonly ?int $opensAt;

    /** @var array<Secret> */
    private readonly array $secrets;

    /** @param Secret ...$secrets what nothing may hold that is shown */
    public function __construct(Answer $answer, Secret ...$secrets)
    {
        $this->secrets = $secrets;
        $json = $answer->mediaType === 'application/problem+json';
        $document = $json ? $answer->document() : [];
        $type = $document['type'] ?? null;
        $this->isOurs = is_string($type) && str_starts_with($type, self::TYPES);
        $document = $this->isOurs ? $document : [];
        $kind = $this->isOurs ? substr($type, strlen(self::TYPES)) : '';
        $this->kind = preg_match('/^[a-z-]{1,40}$/D', $kind) === 1 ? $kind : null;
        $opensAt = $document['opensAt'] ?? null;
        $this->opensAt = is_int($opensAt) ? $opensAt : null;
        $errors = $document['errors'] ?? null;
        $first = is_array($errors) ? $errors[0] ?? null : null;
        $error = $first instanceof \stdClass ? get_object_vars($first) : [];
        $this->detail = $this->harmlessDetail($error['detail'] ?? null)
            ?? $this->harmlessDetail($document['detail'] ?? null);
        $this->field = $this->harmlessPointer($error['pointer'] ?? null);
    }

    /** A sentence, and what the service says after it. */
    public function after(string $sentence): string
    {
        $says = trim("{$this->field} {$this->detail}");
        $text = $says === '' ? $sentence : "{$sentence}: {$says}";
        return str_ends_with($text, '.') ? $text : "{$text}.";
    }

    private function harmlessDetail(mixed $text): ?string
    {
        if (!is_string($text) || $this->isTelling($text)) {
            return null;
        }
        preg_match('/^.{0,' . self::MAX_DETAIL_CHARACTERS . '}/su', $text, $start);
        $line = trim((string) preg_replace('/[\p{C}\p{Z}]/u', ' ', $start[0] ?? ''));
        return $line === '' ? null : $line;
    }

    private function harmlessPointer(mixed $pointer): ?string
    {
        $printable = is_string($pointer)
            && preg_match('~^/(?:[^\p{C}\p{Z}]| ){0,99}$~Du', $pointer) === 1;
        return $printable && !$this->isTelling($pointer) ? $pointer : null;
    }

    private function isTelling(string $text): bool
    {
        foreach ($this->secrets as $secret) {
            if (str_contains($text, $secret->reveal())) {
                return true;
            }
        }
        return preg_match(self::TOKEN_OR_LINK, $text) === 1;
    }
}
