<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\ConfigurationException;

/** The service's address: whether an API key may go there. */
final class Address
{
    private const PRINTABLE = '/^[^\p{Z}\p{C}\\\\]*$/Du';
    private const LABEL = '[\p{L}\p{M}0-9-]++';
    private const SERVER = '~^[^/]+//(?<user>[^/?\#]*@)?'
        . '(?<host>\[[0-9A-Fa-f:.]+\]|' . self::LABEL . '(?:\.' . self::LABEL . ')*+\.?)'
        . '(?::(?<port>[0-9]+))?(?:[/?\#]|$)~Du';
    private const MAX_PORT = 65_535;
    // People paste the address of the request.
    private const PASTED = '~(?<!:/)' . TokenRequest::PATH . '/*([?\#].*)?$~Ds';

    /**
     * The service's URL without a slash at its end, and its host: in lower case, without brackets.
     *
     * @return array{string, string}
     *
     * @throws ConfigurationException
     */
    public static function read(string $text): array
    {
        $text = (string) preg_replace(self::PASTED, '', $text);
        $formed = preg_match(self::SERVER, $text, $server, PREG_UNMATCHED_AS_NULL) === 1;
        $port = (int) ($server['port'] ?? 1);
        $host = self::lowerCase(trim($server['host'] ?? '', '[]'));
        $flaw = match (true) {
            preg_match(self::PRINTABLE, $text) !== 1
                => 'holds blanks, control characters or backslashes.',
            preg_match('~^https?://[^/?\#]~i', $text) !== 1
                => 'must begin with https:// and a host name.',
            !$formed, $port < 1, $port > self::MAX_PORT, !self::isHost($host, $server['host'])
                => 'is malformed.',
            $server['user'] !== null => 'holds a user name or password: leave them out.',
            strpbrk($text, '?#') !== false
                => 'must end with its path: leave out what follows ? or #.',
            stripos($text, 'http:') === 0 && !self::isLoopback($host)
                => 'must be https: it would show the API key to others.',
            default => null,
        };
        if ($flaw !== null) {
            throw new ConfigurationException("The service's address (JITSI_TOKENS_URL) {$flaw}");
        }
        return [rtrim($text, '/'), $host];
    }

    public static function lowerCase(string $text): string
    {
        // Not strtolower(): before PHP 8.2 it depends on the locale.
        return strtr($text, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz');
    }

    /** What looks like an IP address must be one. */
    private static function isHost(string $host, string $written): bool
    {
        $version = match (true) {
            $written[0] === '[' => FILTER_FLAG_IPV6,
            preg_match('/^\d+(\.\d+){3}$/D', $host) === 1 => FILTER_FLAG_IPV4,
            default => null,
        };
        return $version === null || filter_var($host, FILTER_VALIDATE_IP, $version) !== false;
    }

    private static function isLoopback(string $host): bool
    {
        return $host === 'localhost'
            || preg_match('/^127(\.\d+){3}$/D', $host) === 1
            || (str_contains($host, ':') && inet_pton($host) === inet_pton('::1'));
    }
}
