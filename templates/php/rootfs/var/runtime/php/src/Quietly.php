<?php

declare(strict_types=1);

namespace RuntimeBuilder;

/**
 * Calls PHP functions that warn where we look at the result ourselves.
 *
 * `@` is not enough: an error handler that the project installed still sees the warning, and many throw.
 */
final class Quietly
{
    private static string $lastWarning = '';

    /**
     * @template T
     * @param callable(): T $call
     * @return T
     */
    public static function call(callable $call): mixed
    {
        self::$lastWarning = '';
        set_error_handler(static function (int $level, string $message): bool {
            self::$lastWarning = $message;

            return true;
        });
        try {
            return $call();
        } finally {
            restore_error_handler();
        }
    }

    /** What PHP would have warned of in the last `call`; '' when it did not. */
    public static function lastWarning(): string
    {
        return self::$lastWarning;
    }
}
