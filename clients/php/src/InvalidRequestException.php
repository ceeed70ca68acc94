<?php

declare(strict_types=1);

namespace JitsiTokens;

/** The request breaks a rule: refused by the service (400, 413, 415, 422), or never sent. */
final class InvalidRequestException extends JitsiTokensException
{
}
