<?php

declare(strict_types=1);

namespace RuntimeBuilder;

/**
 * Settings of the runtime client: environment variables, set in the image by the spec's `php:` block and overridden by
 * the function's own configuration. A value that is not understood stops the start with a message: a function that
 * quietly runs in another mode than the one that was asked for is worse than one that does not run.
 */
final class Setting
{
    /**
     * One of a few words, compared without regard to case; `$default` when the variable is not set or empty.
     *
     * @param non-empty-list<string> $allowed lower case
     * @throws InitFailure
     */
    public static function choice(string $name, array $allowed, string $default): string
    {
        $value = self::text($name);
        if ($value === null) {
            return $default;
        }
        $word = strtolower($value);
        if (!in_array($word, $allowed, true)) {
            throw self::refused($name, $value, implode(', ', $allowed));
        }

        return $word;
    }

    /**
     * `1`, `true`, `on`, `yes` or `0`, `false`, `off`, `no`; `$default` when the variable is not set or empty.
     *
     * @throws InitFailure
     */
    public static function flag(string $name, bool $default = false): bool
    {
        $value = self::text($name);
        if ($value === null) {
            return $default;
        }

        return match (strtolower($value)) {
            '1', 'true', 'on', 'yes' => true,
            '0', 'false', 'off', 'no' => false,
            default => throw self::refused($name, $value, 'on, off'),
        };
    }

    /** The variable's value without white space around it; null when it is not set or empty. */
    public static function text(string $name): ?string
    {
        $value = getenv($name);
        $value = $value === false ? '' : trim($value);

        return $value === '' ? null : $value;
    }

    private static function refused(string $name, string $value, string $allowed): InitFailure
    {
        return new InitFailure('InvalidConfiguration', "$name is '$value'; it takes one of: $allowed");
    }
}
