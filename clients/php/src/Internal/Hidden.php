<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

/**
 * Keeps an object's content outside the object.
 *
 * var_export() and array casts read private properties too, and an exception's trace holds the
 * arguments of every call: what is not in a property is in none of their output.
 */
trait Hidden
{
    /** @var ?\WeakMap<self, mixed> */
    private static ?\WeakMap $contents = null;

    private function hide(#[\SensitiveParameter] mixed $content): void
    {
        self::$contents ??= new \WeakMap();
        self::$contents[$this] = $content;
    }

    /** The content, or null in an object that was unserialised. */
    private function hidden(): mixed
    {
        return self::$contents[$this] ?? null;
    }

    private function __clone()
    {
    }

    /** @return array{} */
    public function __serialize(): array
    {
        return [];
    }

    /** @param array<mixed> $data */
    public function __unserialize(array $data): void
    {
    }
}
