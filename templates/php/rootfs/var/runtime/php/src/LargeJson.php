<?php

declare(strict_types=1);

namespace RuntimeBuilder;

use function array_values;
use function bin2hex;
use function count;
use function explode;
use function get_object_vars;
use function implode;
use function is_array;
use function is_object;
use function is_string;
use function json_decode;
use function json_encode;
use function preg_match;
use function random_bytes;
use function str_starts_with;
use function strlen;
use function strpos;
use function substr;

/**
 * JSON with texts of many kilobytes in it, such as a request's body in base64: the same results as PHP's own functions.
 *
 * Those look at each byte of a text by itself. Here a large text of the value's first level that is printable ASCII
 * without quotes and backslashes, which stands for itself in JSON, is taken out and put back in one piece; a pattern
 * compiled to machine code makes sure of what it is. Whatever else there is, PHP's functions do.
 */
final class LargeJson
{
    /** Quotes and backslashes that are looked at, and members of a value: more of them cost more than they can save. */
    private const LIMIT = 4_096;

    private const TO_ITS_QUOTE = '/\G[ !#-\[\]-~]++"/';
    private const PLAIN = '/^[ !#-\[\]-~]++$/D';

    /**
     * As json_decode.
     *
     * @param int<1, max> $depth
     * @throws \JsonException
     */
    public static function decode(string $json, bool $toArrays, int $depth): mixed
    {
        $places = strlen($json) < Json::LARGE ? [] : self::texts($json);
        if ($places === []) {
            return json_decode($json, $toArrays, $depth, JSON_THROW_ON_ERROR);
        }
        $mark = bin2hex(random_bytes(12));
        $short = '';
        $end = 0;
        foreach ($places as $number => [$from, $length]) {
            $short .= substr($json, $end, $from - $end) . "$mark$number";
            $end = $from + $length;
        }
        $value = json_decode($short . substr($json, $end), $toArrays, $depth, JSON_THROW_ON_ERROR);
        unset($short);
        $restored = 0;
        $text = static function (mixed $item) use ($json, $mark, $places, &$restored): ?string {
            if (!is_string($item) || !str_starts_with($item, $mark)) {
                return null;
            }
            $restored++;
            [$from, $length] = $places[(int) substr($item, strlen($mark))];

            return substr($json, $from, $length);
        };
        if (is_string($value)) {
            $value = $text($value) ?? $value;
        } elseif (is_array($value)) {
            foreach ($value as $key => $item) {
                if (($item = $text($item)) !== null) {
                    $value[$key] = $item;
                }
            }
        } elseif (is_object($value)) {
            foreach (get_object_vars($value) as $key => $item) {
                if (($item = $text($item)) !== null) {
                    $value->{(string) $key} = $item;
                }
            }
        }
        // The others are deeper, or are keys, or of a key that comes twice.
        return $restored === count($places) ? $value : json_decode($json, $toArrays, $depth, JSON_THROW_ON_ERROR);
    }

    /**
     * As json_encode.
     *
     * @param int $flags none that escapes what JSON does not ask for, but slashes may stay as they are only
     * @param int<1, max> $depth
     * @throws \JsonException
     */
    public static function encode(mixed $value, int $flags, int $depth): string
    {
        if (is_string($value) && strlen($value) >= Json::LARGE && preg_match(self::PLAIN, $value) === 1) {
            return "\"$value\"";
        }
        if (!is_array($value) || count($value) > self::LIMIT) {
            return json_encode($value, $flags | JSON_THROW_ON_ERROR, $depth);
        }
        $texts = [];
        foreach ($value as $key => $item) {
            if (is_string($item) && strlen($item) >= Json::LARGE && preg_match(self::PLAIN, $item) === 1) {
                $texts[$key] = $item;
            }
        }
        if ($texts === []) {
            return json_encode($value, $flags | JSON_THROW_ON_ERROR, $depth);
        }
        $mark = bin2hex(random_bytes(12));
        $short = []; // a new array: an element of the old one may be a reference to a variable of the handler
        foreach ($value as $key => $item) {
            $short[$key] = isset($texts[$key]) ? $mark : $item;
        }
        $parts = explode($mark, json_encode($short, $flags | JSON_THROW_ON_ERROR, $depth));
        $pieces = [$parts[0]];
        foreach (array_values($texts) as $number => $text) {
            $pieces[] = $text;
            $pieces[] = $parts[$number + 1];
        }

        return implode('', $pieces);
    }

    /**
     * Where large texts without escapes stand in JSON (valid or not), without their quotes.
     *
     * @return list<array{int, int}> offset and length
     */
    private static function texts(string $json): array
    {
        $found = [];
        $size = strlen($json);
        $budget = self::LIMIT;
        $slash = strpos($json, '\\');
        for ($open = strpos($json, '"'); $open !== false && $budget-- > 0; $open = strpos($json, '"', $close + 1)) {
            $close = strpos($json, '"', $open + 1);
            $isPlain = true;
            while ($close !== false && $slash !== false && $slash < $close && $budget-- > 0) {
                if ($slash < $open || $slash + 2 > $size) {
                    return $found; // no JSON
                }
                $isPlain = false;
                // What follows a backslash ends no text.
                $close = $close === $slash + 1 ? strpos($json, '"', $close + 1) : $close;
                $slash = strpos($json, '\\', $slash + 2);
            }
            if ($close === false || $budget <= 0) {
                break;
            }
            $length = $close - $open - 1;
            if ($isPlain && $length >= Json::LARGE && preg_match(self::TO_ITS_QUOTE, $json, offset: $open + 1) === 1) {
                $found[] = [$open + 1, $length];
            }
        }

        return $found;
    }
}
