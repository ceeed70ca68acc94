<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\Secret;

/** An HTTP response, while it comes in and as a whole. */
final class Answer
{
    private const TRANSIENT = [429, 502, 503, 504];

    /** The longest body that is read: what a Lambda function can answer at most. */
    private const MAX_BODY_BYTES = 6 * 1024 * 1024;

    public int $status = 0;
    public string $mediaType = '';
    public ?int $retryAfterSeconds = null;
    private bool $isEncoded = false;
    private string $body = '';

    /** A line of the head, as it arrives. */
    public function takeLine(string $line): void
    {
        [$name, $value] = explode(':', $line, 2) + [1 => ''];
        $this->takeField($name, $value);
    }

    public function takeField(string $name, string $value): void
    {
        $value = trim($value);
        match (strtolower(trim($name))) {
            'content-type' => $this->mediaType = strtolower(trim(explode(';', $value)[0])),
            'content-encoding' => $this->isEncoded
                = !in_array(strtolower($value), ['', 'identity'], true),
            'retry-after' => $this->retryAfterSeconds = RetryAfter::seconds($value),
            default => null,
        };
    }

    public function take(string $chunk): void
    {
        $this->body .= substr($chunk, 0, self::MAX_BODY_BYTES + 1 - strlen($this->body));
    }

    /** Whether it is not the service's: too long, or encoded, which nobody asked for. */
    public function isForeign(): bool
    {
        return $this->isEncoded || strlen($this->body) > self::MAX_BODY_BYTES;
    }

    /** @return array<mixed> the JSON object in the body, empty where there is none */
    public function document(): array
    {
        // Not as arrays: {"0": …} would be a list then.
        $document = $this->isForeign() ? null : json_decode($this->body);
        return $document instanceof \stdClass ? get_object_vars($document) : [];
    }

    /** @return array<mixed> the same with arrays instead of objects, and links as secrets */
    public function arrays(): array
    {
        $document = $this->isForeign() ? null : json_decode($this->body, true);
        $arrays = is_array($document) ? $document : [];
        array_walk_recursive($arrays, static function (mixed &$value, int|string $name): void {
            // Anyone who has a link can join: no dump of a visit shows it.
            $value = $name === 'link' && is_string($value) ? new Secret($value) : $value;
        });
        return $arrays;
    }

    public function isTransient(): bool
    {
        return in_array($this->status, self::TRANSIENT, true);
    }
}
