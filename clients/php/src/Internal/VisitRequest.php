<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\InvalidRequestException;

/** What the calls about visits send. */
final class VisitRequest
{
    private const PATH = '/api/visits';

    /**
     * The path below the service's address, with its query.
     *
     * @param list<string>                   $parts
     * @param array<string, int|string|null> $query null leaves a field out
     *
     * @throws InvalidRequestException an id could turn it into the path of another call
     */
    public static function path(array $parts, array $query): string
    {
        // Encoding them is not enough: a proxy in front of the service may decode a slash or dots.
        if (preg_grep('/^[A-Za-z0-9][A-Za-z0-9._-]*$/D', $parts) !== $parts) {
            throw new InvalidRequestException(
                'The request is not sent: an id must be letters, digits, dots, hyphens and'
                . ' underscores, and begin with a letter or digit.',
            );
        }
        $path = implode('/', [self::PATH, ...$parts]);
        $text = http_build_query($query, '', '&', PHP_QUERY_RFC3986);
        return $text === '' ? $path : "{$path}?{$text}";
    }

    /**
     * A visit's fields, with a list of participants, whatever their keys.
     *
     * @param array<string, mixed> $visit
     *
     * @return array<string, mixed>
     */
    public static function visit(
        #[\SensitiveParameter] array $visit,
        ?int $revision = null,
    ): array {
        if (isset($visit['participants'])) {
            $participants = array_values($visit['participants']);
            $visit['participants'] = array_map(self::participant(...), $participants);
        }
        return ($revision === null ? [] : compact('revision')) + $visit;
    }

    /**
     * A participant's fields, with an object of features, none among them.
     *
     * @param array<string, mixed> $participant
     *
     * @return array<string, mixed>
     */
    public static function participant(#[\SensitiveParameter] array $participant): array
    {
        if (isset($participant['features'])) {
            $participant['features'] = (object) $participant['features'];
        }
        return $participant;
    }
}
