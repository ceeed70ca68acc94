<?php

declare(strict_types=1);

namespace JitsiTokens;

use JitsiTokens\Internal\Attempts;
use JitsiTokens\Internal\CurlTransport;
use JitsiTokens\Internal\Hidden;
use JitsiTokens\Internal\HttpRequest;
use JitsiTokens\Internal\Psr18Transport;
use JitsiTokens\Internal\Reading;
use JitsiTokens\Internal\Settings;
use JitsiTokens\Internal\TokenRequest;
use Psr\Http\Client\ClientInterface;
use Psr\Http\Message\RequestFactoryInterface;
use Psr\Http\Message\StreamFactoryInterface;

/** Asks a jitsi-tokens service for meeting tokens. Keep one: it keeps its connection. */
final class Client
{
    use Hidden;

    /**
     * Checks nothing yet: what is wrong is said by the first call.
     *
     * @param ?string $url    the service's address, up to /api/jitsi/jwt, else of
     *                        JITSI_TOKENS_URL
     * @param ?Secret $apiKey else of JITSI_TOKENS_API_KEY
     * @param ?Secret $idKey  else of JITSI_TOKENS_ID_KEY, else the API key
     */
    public function __construct(
        ?string $url = null,
        #[\SensitiveParameter] ?Secret $apiKey = null,
        #[\SensitiveParameter] ?Secret $idKey = null,
        ?Limits $limits = null,
    ) {
        $limits ??= new Limits();
        $attempts = new Attempts(new CurlTransport($limits->connectSeconds), $limits);
        $this->hide([new Settings($url, $apiKey, $idKey), $attempts]);
    }

    /**
     * A client that sends by an HTTP client of yours, which verifies and follows as it is set up;
     * let it follow no redirects. Its own time limits hold for an attempt, none at all where it has
     * none; `totalSeconds` and `attempts` bound the retries.
     */
    public static function withPsr18(
        ClientInterface $http,
        RequestFactoryInterface $requests,
        StreamFactoryInterface $streams,
        ?string $url = null,
        #[\SensitiveParameter] ?Secret $apiKey = null,
        #[\SensitiveParameter] ?Secret $idKey = null,
        ?Limits $limits = null,
    ): self {
        $transport = new Psr18Transport($http, $requests, $streams);
        $attempts = new Attempts($transport, $limits ?? new Limits());
        $client = new self();
        $client->hide([new Settings($url, $apiKey, $idKey), $attempts]);
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
        [$settings, $attempts] = $this->kept();
        $address = $settings->address();
        $endpoint = $address->endpoint();
        $apiKey = $settings->apiKey();
        $idKey = $settings->idKey();
        $request = new TokenRequest(
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
        $sent = new HttpRequest($endpoint, $apiKey, $request->body($idKey));
        $outcome = $attempts->outcome($sent);
        return (new Reading($outcome, $address->host(), $apiKey, $idKey))->meeting();
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
        [$settings, $attempts] = $this->kept();
        $address = $settings->address();
        $outcome = $attempts->outcome(new HttpRequest($address->endpoint()));
        return (new Reading($outcome, $address->host()))->isConfigured();
    }

    /** @return array{Settings, Attempts} */
    private function kept(): array
    {
        return $this->hidden() ?? throw new ConfigurationException(
            'A Client does not survive serialisation: make a new one.',
        );
    }
}
