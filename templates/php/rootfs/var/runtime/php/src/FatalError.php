<?php

declare(strict_types=1);

namespace RuntimeBuilder;

/** What PHP does not let anyone catch; a shutdown function finds it. */
final class FatalError
{
    private const FATAL = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;

    /** Given back when memory has run out, so that there is some for the report. */
    private static ?string $reserve = null;

    public static function reserveMemory(): void
    {
        self::$reserve ??= str_repeat(' ', 256 * 1024); // a forked copy has its parent's
    }

    /**
     * The error that ends this process; null when none does. Afterwards memory is not limited any more.
     *
     * @return array{type: int, message: string, file: string, line: int}|null
     */
    public static function last(): ?array
    {
        self::$reserve = null;
        $error = error_get_last();
        if ($error === null || ($error['type'] & self::FATAL) === 0) {
            return null;
        }
        ini_set('memory_limit', '-1');

        return $error;
    }
}
