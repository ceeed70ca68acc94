<?php

declare(strict_types=1);

namespace JitsiTokens;

/** No usable answer came within the limits. Try again later. */
final class UnavailableException extends JitsiTokensException
{
}
