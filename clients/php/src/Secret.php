<?php

declare(strict_types=1);

namespace JitsiTokens;

use JitsiTokens\Internal\Hidden;

/** A string that no dump, export, cast, serialisation or stack trace shows. */
final class Secret
{
    use Hidden;

    public function __construct(#[\SensitiveParameter] string $value)
    {
        $this->hide($value);
    }

    /** @throws ConfigurationException this object was unserialised, and holds nothing */
    public function reveal(): string
    {
        return $this->hidden() ?? throw new ConfigurationException(
            'A Secret does not survive serialisation: make a new one.',
        );
    }
}
