<?php

declare(strict_types=1);

namespace JitsiTokens;

/** Address or key is missing or malformed, or there is no token service there. */
final class ConfigurationException extends JitsiTokensException
{
}
