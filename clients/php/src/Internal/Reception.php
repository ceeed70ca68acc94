<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

/** An answer while it comes in, not more of it than is needed. */
final class Reception
{
    /** The longest body that is read: many times the service's longest. */
    private const MAX_BODY_BYTES = 65_536;

    /** @var array<string, string> by names in lower case */
    private array $fields = [];
    private string $body = '';

    /** A line of the head, as it arrives. */
    public function takeLine(string $line): void
    {
        if (str_starts_with($line, 'HTTP/')) {
            // What came before was an interim answer's (100, 103).
            $this->fields = [];
        }
        [$name, $value] = explode(':', $line, 2) + [1 => ''];
        $this->takeField($name, $value);
    }

    public function takeField(string $name, string $value): void
    {
        $name = strtolower(trim($name));
        $value = trim($value);
        $this->fields[$name] = isset($this->fields[$name])
            ? "{$this->fields[$name]}, {$value}"
            : $value;
    }

    public function take(#[\SensitiveParameter] string $chunk): void
    {
        $this->body .= substr($chunk, 0, self::MAX_BODY_BYTES + 1 - strlen($this->body));
    }

    public function bodyBytes(): int
    {
        return strlen($this->body);
    }

    /** Whether it is not the service's: too long, or encoded, which nobody asked for. */
    public function isForeign(): bool
    {
        $encoding = strtolower($this->fields['content-encoding'] ?? '');
        return !in_array($encoding, ['', 'identity'], true)
            || strlen($this->body) > self::MAX_BODY_BYTES;
    }

    public function answer(int $status): Answer
    {
        return new Answer(
            $status,
            $this->fields['content-type'] ?? '',
            RetryAfter::seconds($this->fields['retry-after'] ?? ''),
            $this->isForeign() ? null : $this->body,
        );
    }
}
