<?php

declare(strict_types=1);

namespace JitsiTokens;

/** The service does not accept the API key (401). */
final class CredentialsException extends JitsiTokensException
{
}
