<?php

declare(strict_types=1);

namespace RuntimeBuilder\Web;

use function count;
use function preg_match;
use function strlen;
use function strpbrk;
use function strtolower;
use function strtoupper;
use function strtr;

/** What a header field may be (RFC 9110 section 5): nothing that would end it and begin another one. */
final class Fields
{
    /** Names that are kept: those of one application's requests are few. */
    private const KEPT = 256;

    /** @var array<string, string> names as they came => in lower case */
    private static array $names = [];

    /** @var array<string, string> */
    private static array $params = [];

    /** The name in lower case; null when it is none. */
    public static function lowerCase(string $name): ?string
    {
        if (isset(self::$names[$name])) {
            return self::$names[$name];
        }
        if (!self::isName($name)) {
            return null;
        }
        $lowerCase = strtolower($name);
        if (count(self::$names) < self::KEPT && strlen($name) < self::KEPT) {
            self::$names[$name] = $lowerCase;
        }

        return $lowerCase;
    }

    /** The CGI variable of a field: `X-Forwarded-For` → `HTTP_X_FORWARDED_FOR`. */
    public static function param(string $name): string
    {
        if (isset(self::$params[$name])) {
            return self::$params[$name];
        }
        $param = 'HTTP_' . strtoupper(strtr($name, '-', '_'));
        if (count(self::$params) < self::KEPT && strlen($name) < self::KEPT) {
            self::$params[$name] = $param;
        }

        return $param;
    }

    public static function isName(string $name): bool
    {
        return preg_match('/^[!#$%&\'*+.^_`|~0-9A-Za-z-]+$/D', $name) === 1;
    }

    public static function isValue(string $value): bool
    {
        return strpbrk($value, "\r\n\0") === false;
    }
}
