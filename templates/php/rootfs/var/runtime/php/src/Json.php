<?php

declare(strict_types=1);

namespace RuntimeBuilder;

use ArrayObject;
use stdClass;

use function array_is_list;
use function array_keys;
use function get_object_vars;
use function is_array;
use function is_object;
use function is_string;
use function json_decode;
use function json_encode;
use function preg_match;
use function strlen;

/**
 * JSON as a PHP handler wants it and Lambda sent it.
 *
 * Objects become arrays. An object that an array could not give back, because PHP would write it as a list,
 * becomes an ArrayObject: `{}`, and one whose keys are 0, 1, 2 .... It is read like an array
 * (`$event['detail']['id'] ?? null`, `foreach`, `count`), and is written as the object that it was.
 *
 * Integers beyond 64 bits become a BigInteger (PHP has no larger ones; a float would lose digits). Nesting deeper than PHP's parser can take
 * (about 5,000 lists or 2,500 objects) is an error, not a crash.
 */
final class Json
{
    /** Bytes of a text, and of an event, that LargeJson is loaded for. */
    public const LARGE = 65_536;

    /** Bytes of an event in which one pattern for all that is special is quicker than several fast ones. */
    private const SMALL = 2_048;

    /** An empty object, a key that is 0. */
    private const SPECIAL = '/\{\s*+\}|"(?:0|\\\\u0030)"\s*+:';

    private const DEPTH = 100_000;

    /** Deeper values would exhaust the C stack in json_encode. */
    private const ENCODE_DEPTH = 10_000;

    private const ENCODE = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION
        | JSON_THROW_ON_ERROR;

    /**
     * The value; null for an empty text (an invocation without payload).
     *
     * @throws \JsonException
     */
    public static function decode(string $json): mixed
    {
        if ($json === '') {
            return null;
        }
        // Most events have no such object, and the walk over a large event costs more than parsing it.
        if (strlen($json) < self::SMALL
            ? preg_match(self::SPECIAL . '|(?:[:,\[]|^)\s*+-?\d{19}/', $json) === 0
            : preg_match(self::SPECIAL . '/', $json) === 0 && !BigInteger::isIn($json)
        ) {
            return self::parse($json, true);
        }
        $json = self::withoutBigIntegers($json);
        try {
            $value = self::parse($json, false);
        } catch (\JsonException $error) {
            if ($error->getCode() === JSON_ERROR_INVALID_PROPERTY_NAME) {
                // A key that begins with U+0000 cannot be a property; as an array key it is fine.
                $value = self::parse($json, true);
                self::showBigIntegers($value);

                return $value;
            }
            throw $error;
        }
        if (is_array($value) || is_object($value)) {
            self::toArrays($value);
        }

        return BigInteger::found($value) ?? $value;
    }

    /**
     * The value with every object as stdClass, for handlers that declare so.
     *
     * @throws \JsonException
     */
    public static function decodeToObjects(string $json): mixed
    {
        if ($json === '') {
            return null;
        }
        $plain = self::withoutBigIntegers($json);
        $value = self::parse($plain, false);
        if ($plain !== $json) {
            self::showBigIntegers($value);
        }

        return $value;
    }

    /** @throws \JsonException */
    public static function encode(mixed $value): string
    {
        return BigInteger::show(self::hasLargeText($value)
            ? LargeJson::encode($value, self::ENCODE, self::ENCODE_DEPTH)
            : json_encode($value, self::ENCODE, self::ENCODE_DEPTH));
    }

    private static function hasLargeText(mixed $value): bool
    {
        foreach (is_array($value) ? $value : [$value] as $item) {
            if (is_string($item) && strlen($item) >= self::LARGE) {
                return true;
            }
        }

        return false;
    }

    private static function parse(string $json, bool $toArrays): mixed
    {
        return strlen($json) < self::LARGE
            ? json_decode($json, $toArrays, self::DEPTH, JSON_THROW_ON_ERROR)
            : LargeJson::decode($json, $toArrays, self::DEPTH);
    }

    private static function withoutBigIntegers(string $json): string
    {
        return BigInteger::isIn($json) ? BigInteger::hide($json) : $json;
    }

    private static function showBigIntegers(mixed &$value): void
    {
        if (is_object($value)) {
            foreach (get_object_vars($value) as $name => $item) {
                self::showBigIntegers($item);
                $value->$name = $item;
            }
        } elseif (is_array($value)) {
            foreach ($value as &$item) {
                self::showBigIntegers($item);
            }
        } else {
            $value = BigInteger::found($value) ?? $value;
        }
    }

    /**
     * Turns objects into arrays in place: a copy of the whole event beside the first would cost too much memory.
     */
    private static function toArrays(mixed &$value): void
    {
        $wasObject = $value instanceof stdClass;
        $array = $wasObject ? (array) $value : $value;
        $value = null;
        foreach (array_keys($array) as $key) {
            if (is_array($array[$key]) || is_object($array[$key])) {
                $item = $array[$key];
                $array[$key] = null;
                self::toArrays($item);
                $array[$key] = $item;
                unset($item);
            } elseif (is_string($array[$key]) && ($number = BigInteger::found($array[$key])) !== null) {
                $array[$key] = $number;
            }
        }
        $value = $wasObject && array_is_list($array) ? new ArrayObject($array) : $array;
    }
}
