<?php

declare(strict_types=1);

namespace JitsiTokens;

/** There is no such visit, or no such participant (404). */
final class NotFoundException extends JitsiTokensException
{
}
