<?php

declare(strict_types=1);

namespace JitsiTokens;

/** Whatever keeps a client from its answer. No message holds a key, a token or a body. */
abstract class JitsiTokensException extends \RuntimeException
{
    private const SERIALIZED = ['message', 'status', 'field', 'retryAfterSeconds', 'file', 'line'];

    /** @param ?int $status the HTTP status that was answered, where one was */
    public function __construct(string $message, public readonly ?int $status = null)
    {
        parent::__construct($message);
    }

    /**
     * All but the trace: its arguments are of any kind, and PHP refuses to serialise some of them,
     * those of sensitive parameters too.
     *
     * @return array<string, mixed>
     */
    public function __serialize(): array
    {
        return array_intersect_key(get_object_vars($this), array_flip(self::SERIALIZED));
    }

    /** @param array<string, mixed> $data */
    public function __unserialize(array $data): void
    {
        ['file' => $this->file, 'line' => $this->line] = $data;
        unset($data['file'], $data['line']);
        $this->__construct(...$data);
    }
}
