<?php

declare(strict_types=1);

namespace RuntimeBuilder\Fpm;

/** FastCGI 1.0 on the wire: a request as bytes, for one responder and one request at a time (id 1). */
final class Records
{
    public const BEGIN = 1;
    public const END = 3;
    public const PARAMS = 4;
    public const STDIN = 5;
    public const STDOUT = 6;
    public const STDERR = 7;

    private const RESPONDER = 1;
    private const KEEP_CONNECTION = 1;
    private const CONTENT_LIMIT = 65535;

    /** A multiple of 8, so that no padding is needed. */
    private const STDIN_PIECE = 65528;

    /**
     * The whole request.
     *
     * @param array<string, string> $params those that no record can hold (64 KB) are left out
     */
    public static function request(array $params, string $body): string
    {
        $bytes = self::record(self::BEGIN, pack('nCx5', self::RESPONDER, self::KEEP_CONNECTION));
        $content = '';
        foreach ($params as $name => $value) {
            $pair = self::pair((string) $name, $value);
            if (strlen($pair) > self::CONTENT_LIMIT) {
                continue;
            }
            // php-fpm reads each record on its own: a pair must not go over the border of two.
            if (strlen($content) + strlen($pair) > self::CONTENT_LIMIT) {
                $bytes .= self::record(self::PARAMS, $content);
                $content = '';
            }
            $content .= $pair;
        }
        if ($content !== '') {
            $bytes .= self::record(self::PARAMS, $content);
        }
        $bytes .= self::record(self::PARAMS, '');
        for ($offset = 0, $length = strlen($body); $offset < $length; $offset += self::STDIN_PIECE) {
            $bytes .= self::record(self::STDIN, substr($body, $offset, self::STDIN_PIECE));
        }

        return $bytes . self::record(self::STDIN, '');
    }

    private static function record(int $type, string $content): string
    {
        return pack('CCnnCx', 1, $type, 1, strlen($content), 0) . $content;
    }

    private static function pair(string $name, string $value): string
    {
        return self::length(strlen($name)) . self::length(strlen($value)) . $name . $value;
    }

    private static function length(int $length): string
    {
        return $length < 128 ? chr($length) : pack('N', $length | 0x80000000);
    }
}
