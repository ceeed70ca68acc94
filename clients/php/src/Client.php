<?php

declare(strict_types=1);

namespace JitsiTokens;

use JitsiTokens\Internal\Attempts;
use JitsiTokens\Internal\CurlTransport;
use JitsiTokens\Internal\HttpRequest;
use JitsiTokens\Internal\Psr18Transport;
use JitsiTokens\Internal\Reading;
use JitsiTokens\Internal\Settings;
use JitsiTokens\Internal\TokenRequest;
use JitsiTokens\Internal\Transport;
use Psr\Http\Client\ClientInterface;
use Psr\Http\Message\RequestFactoryInterface;
use Psr\Http\Message\StreamFactoryInterface;

/** Asks a jitsi-tokens service for meeting tokens. Keep one: it keeps its connection. */
final class Client
{
    private readonly Limits $limits;
    private Transport $transport;

    /**
     * Checks nothing yet: the first call says what is wrong.
     *
     * @param ?string $url    the service's address, up to /api/jitsi/jwt, else of
     *                        JITSI_TOKENS_URL
     * @param ?Secret $apiKey else of JITSI_TOKENS_API_KEY
     * @param ?Secret $idKey  else of JITSI_TOKENS_ID_KEY, else the API key
     */
    public function __construct(
        private readonly ?string $url = null,
        private readonly ?Secret $apiKey = null,
        private readonly ?Secret $idKey = null,
        ?Limits $limits = null,
    ) {
        $this->limits = $limits ?? new Limits();
        $this->transport = new CurlTransport($this->limits->connectSeconds);
    }

    /**
     * A client that sends by your own HTTP client, which verifies and follows as you set it up; let
     * it follow no redirects. Its own time limits hold for an attempt, none at all where it has
     * none; `totalSeconds` and `attempts` bound the retries.
     */
    public static function withPsr18(
        ClientInterface $http,
        RequestFactoryInterface $requests,
        StreamFactoryInterface $streams,
        ?string $url = null,
        ?Secret $apiKey = null,
        ?Secret $idKey = null,
        ?Limits $limits = null,
    ): self {
        $client = new self($url, $apiKey, $idKey, $limits);
        $client->transport = new Psr18Transport($http, $requests, $streams);
        return $client;
    }

    /**
     * A token for one user in one room.
     *
     * @param ?string              $userId            made of e-mail address, or name and room,
     *                                                where none is given: see README.md
     * @param ?Appointment         $appointment       instead of the next two
     * @param ?int                 $expirationSeconds from notBefore on
     * @param ?int                 $notBefore         epoch seconds
     * @param ?array<string, bool> $features          by Jitsi's names; [] denies all of them
     *
     * @throws ConfigurationException  the address or a key is missing or wrong
     * @throws CredentialsException    the service does not accept the API key
     * @throws NotAllowedException     the client's policy does not allow it
     * @throws InvalidRequestException something given breaks a rule
     * @throws UnavailableException    no answer within the limits
     */
    public function issue(
        #[\SensitiveParameter] string $roomName,
        #[\SensitiveParameter] string $userName,
        #[\SensitiveParameter] ?string $userEmail = null,
        bool $isModerator = false,
        #[\SensitiveParameter] ?string $userId = null,
        #[\SensitiveParameter] ?string $userAvatar = null,
        ?Appointment $appointment = null,
        ?int $expirationSeconds = null,
        ?int $notBefore = null,
        ?array $features = null,
    ): Meeting {
        $settings = $this->settings();
        $asked = new TokenRequest(
            $roomName,
            $userName,
            $userEmail,
            $isModerator,
            $userId,
            $userAvatar,
            $appointment,
            $expirationSeconds,
            $notBefore,
            $features,
        );
        $document = $asked->document($settings->idKey ?? $settings->requiredApiKey());
        return $this->ask($settings, 'POST', TokenRequest::PATH, $document)->meeting();
    }

    /**
     * Whether the service's last check signed and verified a token. Needs the address alone.
     *
     * @throws ConfigurationException the address is missing or wrong
     * @throws UnavailableException   no answer within the limits
     * @throws JitsiTokensException   what stands at the address refused
     */
    public function isConfigured(): bool
    {
        $request = new HttpRequest('GET', TokenRequest::PATH);
        return $this->send($this->settings(), $request)->isConfigured();
    }

    /** Address and keys of now: a changed key needs no restart. */
    private function settings(): Settings
    {
        return new Settings($this->url, $this->apiKey, $this->idKey);
    }

    /**
     * Sends with the API key, and the document as JSON.
     *
     * @param ?array<string, mixed> $document
     */
    private function ask(
        Settings $settings,
        string $method,
        string $path,
        #[\SensitiveParameter] ?array $document = null,
    ): Reading {
        $body = $document === null ? null : HttpRequest::json($document);
        $request = new HttpRequest($method, $path, $body, $settings->requiredApiKey());
        return $this->send($settings, $request);
    }

    private function send(Settings $settings, HttpRequest $request): Reading
    {
        $attempts = new Attempts($this->transport, $this->limits);
        $outcome = $attempts->outcome($settings->url, $request);
        return new Reading($outcome, $settings, isWithKey: $request->apiKey !== null);
    }
}
