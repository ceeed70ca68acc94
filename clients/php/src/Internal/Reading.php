<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\ConfigurationException;
use JitsiTokens\CredentialsException;
use JitsiTokens\InvalidRequestException;
use JitsiTokens\JitsiTokensException;
use JitsiTokens\Meeting;
use JitsiTokens\NotAllowedException;
use JitsiTokens\Secret;
use JitsiTokens\UnavailableException;

/**
 * What the outcome of a call means.
 *
 * A trace shows the arguments of every call on the way to a throw: here they have none.
 */
final class Reading
{
    private const TOKEN = '~^[A-Za-z0-9_-]++(\.[A-Za-z0-9_-]++){2}$~D';
    private const MEETING_URL = '~^https://[^\p{Z}\p{C}]++$~Du';

    /** @var array<Secret> */
    private readonly array $keys;

    /** @param Secret ...$keys those that were sent or used; none: nothing was said of who asks */
    public function __construct(
        private readonly Answer|Failure $outcome,
        private readonly string $host,
        Secret ...$keys,
    ) {
        $this->keys = $keys;
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
        $whole = is_string($token) && preg_match(self::TOKEN, $token) === 1
            && is_string($url) && preg_match(self::MEETING_URL, $url) === 1
            && is_int($expiresAt) && is_int($notBefore) && is_string($room);
        if (!$whole) {
            throw $this->somethingElse('a token');
        }
        return new Meeting(new Secret($token), new Secret($url), $expiresAt, $notBefore, $room);
    }

    /** @throws JitsiTokensException */
    public function isConfigured(): bool
    {
        $configured = $this->document()['configured'] ?? null;
        if (!is_bool($configured)) {
            throw $this->somethingElse('whether it is configured');
        }
        return $configured;
    }

    /** @return array<mixed> the JSON object of a 200, empty where it holds none */
    private function document(): array
    {
        if ($this->outcome instanceof Failure) {
            throw $this->failed();
        }
        if ($this->outcome->status !== 200 || $this->outcome->body === null) {
            throw $this->refused();
        }
        $json = $this->outcome->mediaType === 'application/json';
        return $json ? $this->outcome->document() : [];
    }

    private function somethingElse(string $expected): UnavailableException
    {
        $message = "{$this->host} answered HTTP 200 with something else than {$expected}:"
            . ' is the address right?';
        return new UnavailableException($message, 200);
    }

    private function failed(): JitsiTokensException
    {
        return $this->outcome === Failure::Certificate
            ? new ConfigurationException("The certificate of {$this->host} does not hold.")
            : new UnavailableException("{$this->host} does not answer ({$this->outcome->value}).");
    }

    private function refused(): JitsiTokensException
    {
        $host = $this->host;
        $status = $this->outcome->status;
        $problem = new ProblemDocument($this->outcome, ...$this->keys);
        if ($this->outcome->isTransient()) {
            return new UnavailableException(
                $problem->after("{$host} cannot answer now (HTTP {$status})"),
                $status,
                $this->outcome->retryAfterSeconds,
            );
        }
        if ($this->outcome->body === null) {
            return new UnavailableException(
                "{$host} answered HTTP {$status} with what is not the service's,"
                . ' too long or encoded: is the address right?',
                $status,
            );
        }
        $noService = "There is no token service at this address ({$host}, HTTP {$status}).";
        $notAllowed = "{$host} does not allow this"
            . ($problem->isOurs ? '' : ": a firewall or the address's own access list");
        $invalid = "{$host} refuses the request (HTTP {$status})";
        return match (true) {
            $status === 401 && $this->keys === []
                => new ConfigurationException($noService, $status),
            $status === 401 => new CredentialsException(
                $problem->after("{$host} does not accept the API key"),
                $status,
            ),
            $status === 403 => new NotAllowedException(
                $problem->after($notAllowed),
                $status,
                $problem->field,
            ),
            in_array($status, [400, 413, 415, 422], true) => new InvalidRequestException(
                $problem->after($invalid),
                $status,
                $problem->field,
            ),
            in_array($status, [404, 405], true), intdiv($status, 100) === 3
                => new ConfigurationException($noService, $status),
            default => new UnavailableException(
                $problem->after("{$host} failed (HTTP {$status})"),
                $status,
            ),
        };
    }
}
