<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\ConfigurationException;
use JitsiTokens\Secret;

/** Address and keys, from arguments, the environment, or files that it names. */
final class Settings
{
    private const BYTE_ORDER_MARK = '/^\xEF\xBB\xBF/';

    /** Without a slash at its end. */
    public readonly string $url;

    /** For messages. */
    public readonly string $host;
    public readonly ?Secret $apiKey;
    public readonly ?Secret $idKey;

    /** @throws ConfigurationException the address is missing, or a value is malformed */
    public function __construct(?string $url, ?Secret $apiKey, ?Secret $idKey)
    {
        $address = self::value($url, 'JITSI_TOKENS_URL') ?? throw self::missing('JITSI_TOKENS_URL');
        [$this->url, $this->host] = Address::read($address);
        $key = self::value($apiKey?->reveal(), 'JITSI_TOKENS_API_KEY');
        if ($key !== null && preg_match('/^[\x21\x23-\x26\x28-\x7e]+$/D', $key) !== 1) {
            throw new ConfigurationException(
                'The API key (JITSI_TOKENS_API_KEY) must be printable ASCII'
                . ' without blanks or quotes.',
            );
        }
        $this->apiKey = $key === null ? null : new Secret($key);
        $key = self::value($idKey?->reveal(), 'JITSI_TOKENS_ID_KEY');
        if ($key === '') {
            throw new ConfigurationException(
                'The id key (JITSI_TOKENS_ID_KEY) must be text, and not empty.',
            );
        }
        $this->idKey = $key === null ? null : new Secret($key);
    }

    /** @throws ConfigurationException */
    public function requiredApiKey(): Secret
    {
        return $this->apiKey ?? throw self::missing('JITSI_TOKENS_API_KEY');
    }

    private static function missing(string $name): ConfigurationException
    {
        return new ConfigurationException("{$name} is not set (nor {$name}_FILE).");
    }

    /** The argument, else the variable, else what its file holds; null where none is set. */
    private static function value(#[\SensitiveParameter] ?string $given, string $name): ?string
    {
        if ($given !== null) {
            return self::trimmed($given);
        }
        $value = self::trimmed((string) getenv($name));
        $file = self::trimmed((string) getenv("{$name}_FILE"));
        if ($value !== '' && $file !== '') {
            throw new ConfigurationException(
                "{$name} and {$name}_FILE are both set: set one of them.",
            );
        }
        if ($file === '') {
            return $value === '' ? null : $value;
        }
        // Asked first, since a warning would hold the path: that may be a key by mistake.
        $content = is_readable($file) && !is_dir($file) ? file_get_contents($file) : false;
        if ($content === false) {
            throw new ConfigurationException("The file that {$name}_FILE names cannot be read.");
        }
        if (self::trimmed($content) === '') {
            throw new ConfigurationException("The file that {$name}_FILE names is empty.");
        }
        return self::trimmed($content);
    }

    /** A value without what editors and pipes put around it: `echo` ends it with a line break. */
    private static function trimmed(#[\SensitiveParameter] string $value): string
    {
        return trim((string) preg_replace(self::BYTE_ORDER_MARK, '', $value), " \t\n\v\f\r");
    }
}
