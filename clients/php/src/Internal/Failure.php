<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

/** Why there is no whole HTTP response. */
enum Failure: string
{
    case TimedOut = 'timed out';
    case NotResolved = 'its name does not resolve';
    case NotConnected = 'no connection';
    case Closed = 'the connection was closed';
    case Certificate = 'its certificate is not valid';
    case HttpClient = 'unexpected error';

    public function isTransient(): bool
    {
        return !in_array($this, [self::Certificate, self::HttpClient], true);
    }
}
