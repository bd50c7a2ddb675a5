<?php

declare(strict_types=1);

namespace RuntimeBuilder\State;

use RuntimeBuilder\InvocationFailure;

/** How a process ended that gave no result. */
final class ExitStatus
{
    private const NAMES = [
        4 => 'illegal instruction', 6 => 'aborted', 7 => 'bus error', 8 => 'floating point exception', 9 => 'killed',
        11 => 'segmentation fault', 13 => 'broken pipe', 15 => 'terminated', 24 => 'CPU time limit exceeded',
    ];

    /** The failure of the event that it was handling, in the words that Lambda has for the end of a runtime. */
    public static function failure(?int $code, ?int $signal): InvocationFailure
    {
        $how = match (true) {
            $signal !== null => 'signal: ' . (self::NAMES[$signal] ?? "signal $signal"),
            $code === null => 'unknown status',
            default => "exit status $code",
        };
        $why = match (true) {
            $signal === 9 => '; it may have been out of memory',
            $signal !== null => '',
            default => '; the handler called exit(), or something that it calls did',
        };

        return new InvocationFailure('Runtime.ExitError', "the handler's process ended without a result: $how$why");
    }
}
