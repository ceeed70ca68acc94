<?php

declare(strict_types=1);

namespace JitsiTokens;

/** A key or a token. Only reveal() shows it: no dump, export, serialisation or trace does. */
final class Secret
{
    /** A function, since var_export() reads private properties. */
    private readonly \Closure $value;

    public function __construct(#[\SensitiveParameter] string $value)
    {
        $this->value = static fn (): string => $value;
    }

    public function reveal(): string
    {
        return ($this->value)();
    }

    /** @return array{} */
    public function __debugInfo(): array
    {
        return [];
    }

    /** @return array{} */
    public function __serialize(): array
    {
        return [];
    }
}
