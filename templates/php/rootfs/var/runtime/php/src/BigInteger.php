<?php

declare(strict_types=1);

namespace RuntimeBuilder;

use JsonSerializable;
use Stringable;

use function bin2hex;
use function is_string;
use function json_encode;
use function preg_match;
use function preg_quote;
use function preg_replace;
use function preg_replace_callback;
use function random_bytes;
use function str_starts_with;
use function strlen;
use function substr;
use function trim;

/**
 * An integer of an event that is too large for PHP's own (64 bits). As text it is its digits, for bcmath or gmp; in a
 * result it is written as the number that it was.
 */
final class BigInteger implements JsonSerializable, Stringable
{
    /** Marks a text that stands for a number; random, so that no event and no handler can have it. */
    private static ?string $mark = null;

    public function __construct(private readonly string $digits)
    {
        if (preg_match('/^-?(?:0|[1-9]\d*)$/D', $digits) !== 1) {
            throw new \InvalidArgumentException("'$digits' is not an integer");
        }
    }

    public function __toString(): string
    {
        return $this->digits;
    }

    public function jsonSerialize(): string
    {
        return self::mark() . $this->digits;
    }

    /**
     * Whether this JSON may hold an integer beyond 64 bits. Three looks, since PCRE finds one of two first characters
     * twenty times as fast as one of three, and a large event is mostly text without them.
     */
    public static function isIn(string $json): bool
    {
        return preg_match('/:\s*+-?\d{19}/', $json) === 1
            || preg_match('/[,\[]\s*+-?\d{19}/', $json) === 1
            || preg_match('/^\s*+-?\d{19}/', $json) === 1;
    }

    /** JSON in which every integer beyond 64 bits is a marked text. */
    public static function hide(string $json): string
    {
        $numbers = '/"(?:[^"\\\\]|\\\\.)*+"(*SKIP)(*FAIL)|(?<![\w.+-])-?\d{19,}+(?![\d.eE])/s';
        $mark = trim(json_encode(self::mark(), JSON_THROW_ON_ERROR), '"');

        return preg_replace_callback(
            $numbers,
            static fn (array $match): string => (string) (int) $match[0] === $match[0] ? $match[0] : "\"$mark$match[0]\"",
            $json,
        ) ?? $json;
    }

    /** The integer that a marked text stands for; null for any other value. */
    public static function found(mixed $value): ?self
    {
        return is_string($value) && self::$mark !== null && str_starts_with($value, self::$mark)
            ? new self(substr($value, strlen(self::$mark)))
            : null;
    }

    /** JSON in which every marked text is a number again. */
    public static function show(string $json): string
    {
        if (self::$mark === null) {
            return $json; // there has been none
        }
        $mark = trim(json_encode(self::$mark, JSON_THROW_ON_ERROR), '"');

        return preg_replace('/"' . preg_quote($mark, '/') . '(-?\d+)"/', '$1', $json) ?? $json;
    }

    private static function mark(): string
    {
        return self::$mark ??= "\0" . bin2hex(random_bytes(12)) . ':';
    }
}
