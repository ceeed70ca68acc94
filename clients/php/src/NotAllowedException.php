<?php

declare(strict_types=1);

namespace JitsiTokens;

/** The client's policy, or a firewall before the service, does not allow this (403). */
final class NotAllowedException extends JitsiTokensException
{
}
