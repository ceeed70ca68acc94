<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\ConfigurationException;
use JitsiTokens\Secret;

/** Where the service is and who asks: as given, else of the environment at each call. */
final class Settings
{
    public function __construct(
        private readonly ?string $url,
        private readonly ?Secret $apiKey,
        private readonly ?Secret $idKey,
    ) {
    }

    /** @throws ConfigurationException */
    public function address(): Address
    {
        return new Address(Variable::trimmed($this->url ?? self::required('JITSI_TOKENS_URL')));
    }

    /** @throws ConfigurationException */
    public function apiKey(): Secret
    {
        $given = $this->apiKey?->reveal() ?? self::required('JITSI_TOKENS_API_KEY');
        $value = Variable::trimmed($given);
        if (preg_match('/^[\x21\x23-\x26\x28-\x7e]+$/D', $value) !== 1) {
            throw new ConfigurationException(
                'The API key (JITSI_TOKENS_API_KEY) must be printable ASCII without blanks or quotes.',
            );
        }
        return new Secret($value);
    }

    /**
     * The key that a default userId is made with.
     *
     * @throws ConfigurationException
     */
    public function idKey(): Secret
    {
        $given = $this->idKey?->reveal() ?? (new Variable('JITSI_TOKENS_ID_KEY'))->value();
        if ($given === null) {
            return $this->apiKey();
        }
        $value = Variable::trimmed($given);
        if ($value === '') {
            throw new ConfigurationException(
                'The id key (JITSI_TOKENS_ID_KEY) must be text, and not empty.',
            );
        }
        return new Secret($value);
    }

    private static function required(string $name): string
    {
        return (new Variable($name))->value()
            ?? throw new ConfigurationException("{$name} is not set (nor {$name}_FILE).");
    }
}
