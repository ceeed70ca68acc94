<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

/** Sends a request once. Throws nothing: an exception of the HTTP client's holds what was sent. */
interface Transport
{
    /**
     * @param string $url     the service's, without the request's path
     * @param float  $seconds the time for all of it
     */
    public function send(string $url, HttpRequest $request, float $seconds): Answer|Failure;
}
