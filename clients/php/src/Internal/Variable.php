<?php

declare(strict_types=1);

namespace JitsiTokens\Internal;

use JitsiTokens\ConfigurationException;

/** A value of the environment: in the variable itself, or in the file that NAME_FILE names. */
final class Variable
{
    private const MAX_BYTES = 16_384;
    private const BLANKS = " \t\n\v\f\r";
    private const BYTE_ORDER_MARK = '/^\xEF\xBB\xBF/';

    public function __construct(private readonly string $name)
    {
    }

    /** A value without what editors and pipes put around it: `echo` ends it with a line break. */
    public static function trimmed(#[\SensitiveParameter] string $value): string
    {
        return trim((string) preg_replace(self::BYTE_ORDER_MARK, '', $value), self::BLANKS);
    }

    /** @throws ConfigurationException both variables are set, or the file gives no value */
    public function value(): ?string
    {
        $value = self::environment($this->name);
        if (self::environment("{$this->name}_FILE") === null) {
            return $value;
        }
        if ($value !== null) {
            throw new ConfigurationException(
                "{$this->name} and {$this->name}_FILE are both set: set one of them.",
            );
        }
        $content = $this->fileContent();
        if ($content === null) {
            throw new ConfigurationException(
                "The file that {$this->name}_FILE names cannot be read.",
            );
        }
        if (self::trimmed($content) === '') {
            throw new ConfigurationException("The file that {$this->name}_FILE names is empty.");
        }
        if (strlen($content) > self::MAX_BYTES) {
            throw new ConfigurationException(
                "The file that {$this->name}_FILE names is longer than 16 KiB.",
            );
        }
        return self::trimmed($content);
    }

    /** Of a file that is too long its beginning, which is too long as well. */
    private function fileContent(): ?string
    {
        // A warning holds the path, and who mistook the two variables has a key in its place: no
        // other error handler may get it, and error_get_last() neither.
        set_error_handler(static fn (): bool => true);
        try {
            $path = (string) self::environment("{$this->name}_FILE");
            $readable = is_readable($path) && !is_dir($path);
            $content = $readable ? file_get_contents($path, length: self::MAX_BYTES + 1) : false;
        } catch (\Throwable) {
            $content = false;
        } finally {
            restore_error_handler();
        }
        return $content === false ? null : $content;
    }

    private static function environment(string $name): ?string
    {
        $value = self::trimmed((string) getenv($name));
        return $value === '' ? null : $value;
    }
}
