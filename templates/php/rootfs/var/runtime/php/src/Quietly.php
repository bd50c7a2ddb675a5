<?php

declare(strict_types=1);

namespace RuntimeBuilder;

use Closure;

use function restore_error_handler;
use function set_error_handler;

/**
 * Calls PHP functions that warn where we look at the result ourselves.
 *
 * `@` is not enough: an error handler that the project installed still sees the warning, and many throw.
 */
final class Quietly
{
    private static string $lastWarning = '';
    private static ?Closure $handler = null;

    /**
     * @template T
     * @param callable(mixed...): T $call
     * @return T
     */
    public static function call(callable $call, mixed ...$arguments): mixed
    {
        self::begin();
        try {
            return $call(...$arguments);
        } finally {
            restore_error_handler();
        }
    }

    /** For what is called so often that a closure counts; ends with PHP's restore_error_handler(), come what may. */
    public static function begin(): void
    {
        self::$lastWarning = '';
        set_error_handler(self::$handler ??= static function (int $level, string $message): bool {
            self::$lastWarning = $message;

            return true;
        });
    }

    /** What PHP would have warned of in the last `call`; '' when it did not. */
    public static function lastWarning(): string
    {
        return self::$lastWarning;
    }
}
