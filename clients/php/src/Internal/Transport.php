<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

/** Sends a request once. Throws nothing: an exception's trace could hold what was sent. */
interface Transport
{
    /** @param float $seconds the time for all of it */
    public function send(HttpRequest $request, float $seconds): Answer|Failure;
}
