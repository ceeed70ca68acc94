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
use JitsiTokens\Internal\VisitRequest;
use Psr\Http\Client\ClientInterface;
use Psr\Http\Message\RequestFactoryInterface;
use Psr\Http\Message\StreamFactoryInterface;

/** Asks a jitsi-tokens service for meeting tokens and visits. Keep one: it keeps its connection. */
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
     * @throws JitsiTokensException   the service at the address refused
     */
    public function isConfigured(): bool
    {
        $request = new HttpRequest('GET', TokenRequest::PATH);
        return $this->send($this->settings(), $request)->isConfigured();
    }

    // The methods about visits. The ids are yours, and stay the same if the appointment moves. A
    // visit is an array as the JSON has it, without `state` it can be put again; each `link` in it
    // is a Secret. All throw what issue() throws, NotFoundException if there is no such visit or
    // participant, and ConflictException if the visit's state does not allow the call.

    /**
     * Creates a visit or changes it. It may be repeated at any time.
     *
     * @param string               $visitId  never the appointment's date: that may change
     * @param array<string, mixed> $visit    its fields as in the JSON: startsAt and so on
     * @param ?int                 $revision your record's counter or time of change; if the visit
     *                                       has a higher one, nothing changes: 'superseded'
     *
     * @return array<string, mixed> the visit
     */
    public function putVisit(
        string $visitId,
        #[\SensitiveParameter] array $visit,
        ?int $revision = null,
    ): array {
        $document = VisitRequest::visit($visit, $revision);
        return $this->askVisits('PUT', [$visitId], $document)->visit();
    }

    /**
     * Says how late a visit starts, 0 to 720 minutes.
     *
     * @return array<string, mixed> the visit
     */
    public function changeVisit(string $visitId, int $delayMinutes): array
    {
        return $this->askVisits('PATCH', [$visitId], compact('delayMinutes'))->visit();
    }

    /** @return array<string, mixed> the visit, with its participants' links */
    public function getVisit(string $visitId): array
    {
        return $this->askVisits('GET', [$visitId])->visit();
    }

    /**
     * One page of the visits that start in [$from, $to), at most 31 days.
     *
     * @param string  $from    an RFC 3339 time with an offset, as $to
     * @param bool    $waiting only those with somebody waiting; such a page can be empty and have
     *                         a `next`
     * @param ?string $next    the `next` of the page before; the rest as it was
     *
     * @return array<string, mixed> `visits`, without links, and `next` on all but the last page
     */
    public function listVisits(
        string $from,
        string $to,
        bool $waiting = false,
        ?string $next = null,
    ): array {
        $query = compact('from', 'to') + ['waiting' => $waiting ? 'true' : null, 'next' => $next];
        return $this->askVisits('GET', [], query: $query)->page();
    }

    /** @return array<string, mixed> the visit, cancelled; see putVisit() for the revision */
    public function cancelVisit(string $visitId, ?int $revision = null): array
    {
        return $this->askVisits('DELETE', [$visitId], query: compact('revision'))->visit();
    }

    /**
     * Ends a visit now, 'done' or 'by-phone'; a moderator's join() undoes it.
     *
     * @return array<string, mixed> the visit
     */
    public function endVisit(string $visitId, string $because = 'done'): array
    {
        return $this->askVisits('POST', [$visitId, 'end'], compact('because'))->visit();
    }

    /**
     * Adds a participant on the day, or changes one.
     *
     * @param array<string, mixed> $participant the fields as in the JSON, without participantId
     *
     * @return array<string, mixed> the visit
     */
    public function putParticipant(
        string $visitId,
        string $participantId,
        #[\SensitiveParameter] array $participant,
    ): array {
        $path = [$visitId, 'participants', $participantId];
        return $this->askVisits('PUT', $path, VisitRequest::participant($participant))->visit();
    }

    /** @return array<string, mixed> the visit, with the participant revoked */
    public function removeParticipant(string $visitId, string $participantId): array
    {
        return $this->askVisits('DELETE', [$visitId, 'participants', $participantId])->visit();
    }

    /**
     * Replaces a participant's link.
     *
     * An attempt that gets no answer is not repeated: it could still replace the link that the next
     * one returned. After an UnavailableException getVisit() has the link in force.
     *
     * @return array<string, mixed> the visit, with the new link
     */
    public function newLink(string $visitId, string $participantId): array
    {
        $path = [$visitId, 'participants', $participantId, 'new-link'];
        return $this->askVisits('POST', $path, isRepeatable: false)->visit();
    }

    /** A token for a participant, at the click. A moderator's opens the visit. */
    public function join(string $visitId, string $participantId): Meeting
    {
        $path = [$visitId, 'participants', $participantId, 'join'];
        return $this->askVisits('POST', $path)->meeting();
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
        bool $isRepeatable = true,
    ): Reading {
        $body = $document === null ? null : HttpRequest::json($document);
        $key = $settings->requiredApiKey();
        $request = new HttpRequest($method, $path, $body, $key, $isRepeatable);
        return $this->send($settings, $request);
    }

    /**
     * @param list<string>                   $parts of the path
     * @param ?array<string, mixed>          $document
     * @param array<string, int|string|null> $query
     */
    private function askVisits(
        string $method,
        array $parts,
        #[\SensitiveParameter] ?array $document = null,
        array $query = [],
        bool $isRepeatable = true,
    ): Reading {
        $path = VisitRequest::path($parts, $query);
        return $this->ask($this->settings(), $method, $path, $document, $isRepeatable);
    }

    private function send(Settings $settings, HttpRequest $request): Reading
    {
        $attempts = new Attempts($this->transport, $this->limits);
        $outcome = $attempts->outcome($settings->url, $request);
        return new Reading($outcome, $settings, $request);
    }
}
