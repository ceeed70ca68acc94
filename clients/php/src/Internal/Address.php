<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\ConfigurationException;

/** The service's address, up to and without its path: whether an API key may go there. */
final class Address
{
    public const PATH = '/api/jitsi/jwt';

    private const PRINTABLE = '/^[^\p{Z}\p{C}\\\\]*$/Du';

    /** RFC 3986, appendix B, up to the path. */
    private const PARTS = '~^(?:(?<scheme>[^:/?\#]*):)?+'
        . '(?://(?<user>[^/?\#]*@)?+(?<host>\[[^/?\#]*\]|[^/?\#:\[\]]*)(?::(?<port>\d+))?'
        . '(?=[/?\#]|$)|(?!//))~D';
    private const NAME = '/^[\p{L}\p{M}0-9-]++(\.[\p{L}\p{M}0-9-]++)*+\.?$/Du';
    private const FOUR_NUMBERS = '/^\d+(\.\d+){3}$/D';
    private const MAX_PORT = 65_535;
    private const PASTED = '~(?<!:/)' . self::PATH . '/*([?\#].*)?$~Ds';

    private readonly string $text;

    public function __construct(string $text)
    {
        // People paste the address of the request.
        $this->text = (string) preg_replace(self::PASTED, '', $text);
    }

    /** @throws ConfigurationException */
    public function endpoint(): string
    {
        $this->check();
        return rtrim($this->text, '/') . self::PATH;
    }

    /**
     * In lower case, without brackets and port.
     *
     * @throws ConfigurationException
     */
    public function host(): string
    {
        $this->check();
        return trim(self::lowerCase($this->parts()['host'] ?? ''), '[]');
    }

    private function check(): void
    {
        $flaw = $this->flaw();
        if ($flaw !== null) {
            throw new ConfigurationException(
                "The service's address (JITSI_TOKENS_URL) {$flaw}.",
            );
        }
    }

    private function flaw(): ?string
    {
        if (preg_match(self::PRINTABLE, $this->text) !== 1) {
            return 'holds blanks, control characters or backslashes';
        }
        $parts = $this->parts();
        $scheme = self::lowerCase($parts['scheme'] ?? '');
        $host = self::lowerCase($parts['host'] ?? '');
        $port = (int) ($parts['port'] ?? 1);
        $formed = $parts !== null && $port >= 1 && $port <= self::MAX_PORT
            && ($host === '' || self::isHost($host));
        return match (true) {
            !$formed => 'is malformed',
            !in_array($scheme, ['https', 'http'], true), $host === ''
                => 'must begin with https:// and a host name',
            isset($parts['user']) => 'holds a user name or password: leave them out',
            strpbrk($this->text, '?#') !== false
                => 'must end with its path: leave out what follows ? or #',
            $scheme === 'http' && !self::isLoopback($host)
                => 'must be https: it would show the API key to others',
            default => null,
        };
    }

    /** @return ?array<?string> */
    private function parts(): ?array
    {
        $formed = preg_match(self::PARTS, $this->text, $parts, PREG_UNMATCHED_AS_NULL) === 1;
        return $formed ? $parts : null;
    }

    private static function isHost(string $host): bool
    {
        if (str_starts_with($host, '[')) {
            return self::isIp(substr($host, 1, -1), FILTER_FLAG_IPV6);
        }
        return preg_match(self::FOUR_NUMBERS, $host) === 1
            ? self::isIp($host, FILTER_FLAG_IPV4)
            : preg_match(self::NAME, $host) === 1;
    }

    private static function isLoopback(string $host): bool
    {
        if (str_starts_with($host, '[')) {
            return inet_pton(substr($host, 1, -1)) === inet_pton('::1');
        }
        return $host === 'localhost'
            || str_starts_with($host, '127.') && self::isIp($host, FILTER_FLAG_IPV4);
    }

    private static function isIp(string $text, int $version): bool
    {
        return filter_var($text, FILTER_VALIDATE_IP, $version) !== false;
    }

    private static function lowerCase(string $text): string
    {
        // Not strtolower(): before PHP 8.2 it depends on the locale.
        return strtr($text, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz');
    }
}
