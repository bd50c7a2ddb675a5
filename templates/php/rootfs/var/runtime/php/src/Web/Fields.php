<?php

declare(strict_types=1);

namespace RuntimeBuilder\Web;

/** What a header field may be (RFC 9110 section 5): nothing that would end it and begin another one. */
final class Fields
{
    public static function isName(string $name): bool
    {
        return preg_match('/^[!#$%&\'*+.^_`|~0-9A-Za-z-]+$/D', $name) === 1;
    }

    public static function isValue(string $value): bool
    {
        return strpbrk($value, "\r\n\0") === false;
    }
}
