<?php

declare(strict_types=1);

namespace RuntimeBuilder\Fpm;

use function array_push;
use function chr;
use function implode;
use function pack;
use function strlen;
use function substr;

/** FastCGI 1.0 on the wire: a request as bytes, for one responder and one request at a time (id 1). */
final class Records
{
    public const BEGIN = 1;
    public const END = 3;
    public const PARAMS = 4;
    public const STDIN = 5;
    public const STDOUT = 6;
    public const STDERR = 7;

    private const CONTENT_LIMIT = 65535;

    /** A multiple of 8, so that no padding is needed. */
    private const STDIN_PIECE = 65528;

    /** The record that begins a request to a responder; the connection is kept. */
    private const BEGINNING = "\1\1\0\1\0\x08\0\0\0\1\1\0\0\0\0\0";
    private const END_OF_PARAMS = "\1\4\0\1\0\0\0\0";
    private const END_OF_STDIN = "\1\5\0\1\0\0\0\0";

    /**
     * The whole request.
     *
     * @param array<string, string> $params those that no record can hold (64 KB) are left out
     */
    public static function request(array $params, string $body): string
    {
        $pieces = [self::BEGINNING];
        $content = '';
        foreach ($params as $name => $value) {
            $name = (string) $name;
            $names = strlen($name);
            $values = strlen($value);
            $pair = ($names < 128 ? chr($names) : pack('N', $names | 0x80000000))
                . ($values < 128 ? chr($values) : pack('N', $values | 0x80000000)) . $name . $value;
            // php-fpm reads each record on its own: a pair must not go over the border of two.
            if (strlen($content) + strlen($pair) > self::CONTENT_LIMIT) {
                if (strlen($pair) > self::CONTENT_LIMIT) {
                    continue;
                }
                array_push($pieces, self::head(self::PARAMS, $content), $content);
                $content = '';
            }
            $content .= $pair;
        }
        if ($content !== '') {
            array_push($pieces, self::head(self::PARAMS, $content), $content);
        }
        $pieces[] = self::END_OF_PARAMS;
        for ($offset = 0, $length = strlen($body); $offset < $length; $offset += self::STDIN_PIECE) {
            $piece = substr($body, $offset, self::STDIN_PIECE);
            array_push($pieces, self::head(self::STDIN, $piece), $piece);
        }
        $pieces[] = self::END_OF_STDIN;

        return implode('', $pieces);
    }

    private static function head(int $type, string $content): string
    {
        return pack('CCnnx2', 1, $type, 1, strlen($content));
    }
}
