<?php

declare(strict_types=1);

namespace JitsiTokens;

/** The address or a key is missing or malformed, or no token service answers there. */
final class ConfigurationException extends JitsiTokensException
{
}
