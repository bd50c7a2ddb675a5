<?php

declare(strict_types=1);

namespace RuntimeBuilder;

/** Lines for people, on stderr: on Lambda they become the function's log. */
final class Log
{
    /** @var resource|null our own handle: a handler may close STDERR */
    private static $stderr = null;

    /** One event of the log: line breaks in `$message` are kept out of it. */
    public static function line(string $message): void
    {
        self::raw(str_replace(["\r\n", "\n", "\r"], ' | ', $message) . "\n");
    }

    /** Bytes as they are: output of PHP-FPM or of a command. */
    public static function raw(string $bytes): void
    {
        if (self::$stderr === null) {
            $handle = fopen('php://stderr', 'wb');
            if ($handle === false) {
                return;
            }
            self::$stderr = $handle;
        }
        // Nobody may be reading any more; that is no reason to fail.
        Quietly::call(static fn () => self::$stderr === null ? 0 : fwrite(self::$stderr, $bytes));
    }
}
