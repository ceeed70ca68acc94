<?php

declare(strict_types=1);

namespace JitsiTokens\OpenEMR;

use JitsiTokens\Client;
use JitsiTokens\ConflictException;
use JitsiTokens\InvalidRequestException;
use JitsiTokens\JitsiTokensException;
use JitsiTokens\Meeting;
use JitsiTokens\Secret;
use JitsiTokens\UnavailableException;

/** What a click asks of jitsi-tokens, with a sentence for each refusal. */
final class Service
{
    private readonly Client $client;

    public function __construct()
    {
        $this->client = Settings::client();
    }

    /** A moderator's token; who is not the visit's provider becomes a participant of the day. */
    public function join(Visit $visit, int $userId, string $userName): Meeting
    {
        return $this->sentenced(function () use ($visit, $userId, $userName): Meeting {
            $this->putVisit($visit);
            $participantId = Visit::providerId($userId);
            if (!isset($visit->providers[$userId])) {
                $participantId = "staff-{$userId}";
                $moderator = ['userName' => $userName, 'isModerator' => true];
                $this->client->putParticipant($visit->id, $participantId, $moderator);
            }
            return $this->client->join($visit->id, $participantId);
        });
    }

    public function delay(Visit $visit, int $minutes): void
    {
        $this->sentenced(function () use ($visit, $minutes): void {
            $this->putVisit($visit);
            $this->client->changeVisit($visit->id, $minutes);
        });
    }

    /** @param string $because 'done' or 'by-phone' */
    public function end(Visit $visit, string $because): void
    {
        $this->sentenced(function () use ($visit, $because): void {
            $this->putVisit($visit);
            $this->client->endVisit($visit->id, $because);
        });
    }

    /** The patient's link. It stays the same until somebody replaces it. */
    public function link(Visit $visit): Secret
    {
        return $this->sentenced(fn (): Secret => self::linkIn($this->putVisit($visit), $visit));
    }

    /** Replaces the patient's link: the old one is dead from the next request on. */
    public function newLink(Visit $visit): void
    {
        $this->sentenced(function () use ($visit): void {
            $this->putVisit($visit);
            $this->client->newLink($visit->id, $visit->patientId());
        });
    }

    /**
     * @param array<string, mixed> $stored as PUT and GET answer it
     *
     * @throws Refused it is not known
     */
    public static function linkIn(array $stored, Visit $visit): Secret
    {
        foreach ($stored['state']['participants'] as $participant) {
            $isPatient = $participant['participantId'] === $visit->patientId();
            if ($isPatient && isset($participant['link'])) {
                return $participant['link'];
            }
        }
        throw new Refused(409, 'The link of this visit is not known any more. Call the patient.');
    }

    /** @return array<string, mixed> the visit as the service has it now */
    private function putVisit(Visit $visit): array
    {
        try {
            return $this->client->putVisit($visit->id, $visit->body(), $visit->revision);
        } catch (ConflictException $error) {
            if ($error->kind !== 'superseded') {
                throw $error;
            }
            return $this->client->getVisit($visit->id);
        }
    }

    /**
     * @template T
     *
     * @param callable(): T $work
     *
     * @return T
     *
     * @throws Refused
     */
    private function sentenced(callable $work): mixed
    {
        try {
            return $work();
        } catch (ConflictException $error) {
            throw new Refused(409, self::sentence($error));
        } catch (UnavailableException $error) {
            Module::log($error);
            $sentence = 'The service does not answer at the moment. Press the button again.';
            throw new Refused(503, $sentence, $error->retryAfterSeconds ?? 5);
        } catch (JitsiTokensException $error) {
            if ($error instanceof InvalidRequestException && $error->field === '/startsAt') {
                throw new Refused(410, 'This visit is over.');
            }
            Module::log($error);
            throw new Refused(500, 'The service refuses this visit. Tell your administrator.');
        }
    }

    private static function sentence(ConflictException $error): string
    {
        if ($error->kind === 'too-early' && $error->opensAt !== null) {
            $opens = (new \DateTimeImmutable("@{$error->opensAt}"))->setTimezone(Settings::zone());
            return "The room opens at {$opens->format('Y-m-d H:i')}.";
        }
        return match ($error->kind) {
            'visit-over' => 'This visit is over.',
            'visit-cancelled' => 'This visit is cancelled.',
            default => 'The visit was changed at this moment. Press the button again.',
        };
    }
}
