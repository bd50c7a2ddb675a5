<?php

declare(strict_types=1);

namespace RuntimeBuilder;

use function getenv;
use function putenv;
use function rtrim;
use function str_contains;

/** Environment variables of this process and of what it starts, and the copies that PHP keeps of them. */
final class Environment
{
    /** Sets or (null) removes a variable everywhere that PHP code looks: getenv, $_ENV, $_SERVER. */
    public static function set(string $name, ?string $value): void
    {
        if ($value === null || str_contains($value, "\0")) {
            putenv($name);
            unset($_ENV[$name], $_SERVER[$name]);

            return;
        }
        putenv("$name=$value");
        $_ENV[$name] = $value;
        $_SERVER[$name] = $value;
    }

    /** The folder with the project's code. */
    public static function taskRoot(): string
    {
        return rtrim(getenv('LAMBDA_TASK_ROOT') ?: '/var/task', '/') ?: '/';
    }

    /** The function's handler setting; '' when there is none. */
    public static function handler(): string
    {
        return getenv('_HANDLER') ?: '';
    }
}
