<?php

declare(strict_types=1);

namespace RuntimeBuilder\State;

/**
 * The end of a forked copy that has done its work. PHP would free every page that it shares with its parent, which
 * copies them first and takes longer than the fork; and it would close connections that are the parent's.
 */
final class Vanishing
{
    /** The signal that such a process sends to itself: to its parent it means exit code 0. Nobody else sends it. */
    public const SIGNAL = 63;

    /** A shutdown function, the last one that is registered: lets those that are registered later run before it. */
    public static function after(): void
    {
        static $again = true;
        if ($again) {
            $again = false;
            register_shutdown_function(self::after(...));

            return;
        }
        while (ob_get_level() > 0 && ob_end_flush()) {
        }
        flush();
        if (function_exists('posix_kill')) {
            posix_kill((int) getmypid(), self::SIGNAL);
        }
    }
}
