<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\ConfigurationException;
use JitsiTokens\ConflictException;
use JitsiTokens\CredentialsException;
use JitsiTokens\InvalidRequestException;
use JitsiTokens\JitsiTokensException;
use JitsiTokens\Meeting;
use JitsiTokens\NotAllowedException;
use JitsiTokens\NotFoundException;
use JitsiTokens\Secret;
use JitsiTokens\UnavailableException;

/** What the outcome of a call means: an answer of the service, or the exception to throw. */
final class Reading
{
    private const REFUSALS = [
        401 => [CredentialsException::class, 'does not accept the API key'],
        403 => [NotAllowedException::class, 'does not allow this'],
        404 => [NotFoundException::class, 'has no such visit or participant (HTTP 404)'],
        400 => [InvalidRequestException::class, 'refuses the request (HTTP 400)'],
        413 => [InvalidRequestException::class, 'refuses the request (HTTP 413)'],
        415 => [InvalidRequestException::class, 'refuses the request (HTTP 415)'],
        422 => [InvalidRequestException::class, 'refuses the request (HTTP 422)'],
    ];

    public function __construct(
        private readonly Answer|Failure $outcome,
        private readonly Settings $settings,
        private readonly HttpRequest $request,
    ) {
    }

    /** @throws JitsiTokensException */
    public function meeting(): Meeting
    {
        $document = $this->document();
        $token = $document['token'] ?? null;
        $url = $document['meetingUrl'] ?? null;
        $expiresAt = $document['expiresAt'] ?? null;
        $notBefore = $document['notBefore'] ?? null;
        $room = $document['roomName'] ?? null;
        $isWhole = is_string($token) && is_string($url) && is_string($room)
            && is_int($expiresAt) && is_int($notBefore);
        if (!$isWhole) {
            throw $this->unusable('something other than a token');
        }
        return new Meeting(new Secret($token), new Secret($url), $expiresAt, $notBefore, $room);
    }

    /**
     * @return array<string, mixed>
     *
     * @throws JitsiTokensException
     */
    public function visit(): array
    {
        $visit = $this->document(asArrays: true);
        return is_array($visit['state'] ?? null)
            ? $visit
            : throw $this->unusable('something other than a visit');
    }

    /**
     * @return array<string, mixed>
     *
     * @throws JitsiTokensException
     */
    public function page(): array
    {
        $page = $this->document(asArrays: true);
        return is_array($page['visits'] ?? null)
            ? $page
            : throw $this->unusable('something other than visits');
    }

    /** @throws JitsiTokensException */
    public function isConfigured(): bool
    {
        $configured = $this->document()['configured'] ?? null;
        if (!is_bool($configured)) {
            throw $this->unusable('something other than whether it is configured');
        }
        return $configured;
    }

    /** @return array<mixed> the JSON object of a 200 or 201, empty where it holds none */
    private function document(bool $asArrays = false): array
    {
        if ($this->outcome instanceof Failure) {
            throw $this->failed();
        }
        $isWell = in_array($this->outcome->status, [200, 201], true);
        if (!$isWell || $this->outcome->isForeign()) {
            throw $this->refused();
        }
        if ($this->outcome->mediaType !== 'application/json') {
            return [];
        }
        return $asArrays ? $this->outcome->arrays() : $this->outcome->document();
    }

    private function unusable(string $content): UnavailableException
    {
        $host = $this->settings->host;
        $status = $this->outcome->status;
        return new UnavailableException(
            "{$host} answered HTTP {$status} with {$content}: is the address right?",
            $status,
        );
    }

    private function failed(): JitsiTokensException
    {
        $host = $this->settings->host;
        return $this->outcome === Failure::Certificate
            ? new ConfigurationException("The certificate of {$host} is not valid.")
            : new UnavailableException("{$host} does not answer ({$this->outcome->value}).");
    }

    private function refused(): JitsiTokensException
    {
        $host = $this->settings->host;
        $status = $this->outcome->status;
        $keys = array_filter([$this->settings->apiKey, $this->settings->idKey]);
        $problem = new ProblemDocument($this->outcome, ...$keys);
        if ($this->outcome->isTransient()) {
            return new UnavailableException(
                $problem->after("{$host} cannot answer now (HTTP {$status})"),
                $status,
                retryAfterSeconds: $this->outcome->retryAfterSeconds,
            );
        }
        if ($this->outcome->isForeign()) {
            return $this->unusable("what is not the service's, too long or encoded");
        }
        if ($problem->isOurs && $status === 409) {
            return new ConflictException(
                $problem->after("{$host} refuses the request (HTTP 409)"),
                $status,
                $problem->kind,
                $problem->opensAt,
            );
        }
        // Below the path of tokens nothing is missing but the path itself.
        $isOurs = $problem->isOurs && $this->request->path !== TokenRequest::PATH;
        $isNoService = (in_array($status, [404, 405], true) && !$isOurs)
            || intdiv($status, 100) === 3
            || ($status === 401 && $this->request->apiKey === null);
        if ($isNoService) {
            return new ConfigurationException(
                "There is no token service at this address ({$host}, HTTP {$status}).",
                $status,
            );
        }
        [$class, $sentence] = self::REFUSALS[$status]
            ?? [UnavailableException::class, "failed (HTTP {$status})"];
        if ($status === 403 && !$problem->isOurs) {
            $sentence .= ": a firewall or the address's own access list";
        }
        $hasField = in_array($status, [400, 403, 413, 415, 422], true);
        return new $class(
            $problem->after("{$host} {$sentence}"),
            $status,
            $hasField ? $problem->field : null,
        );
    }
}
