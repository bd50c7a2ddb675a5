<?php

declare(strict_types=1);

use RuntimeBuilder\Http\MalformedResponse;
use RuntimeBuilder\Http\Response;
use RuntimeBuilder\Http\ResponseParser;
use RuntimeBuilder\Tests\Results;

/** Feeds in pieces of `$size` bytes; null when the answer was not complete at the end. */
$parse = static function (string $bytes, int $size = 1 << 20, bool $end = false): ?Response {
    $parser = new ResponseParser();
    foreach (str_split($bytes, $size) as $piece) {
        $parser->feed($piece);
    }
    if ($end) {
        $parser->end();
    }

    return $parser->isComplete() ? $parser->response() : null;
};
$sized = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCONTENT-LENGTH: 7\r\nlambda-runtime-aws-request-id: id-1\r\n\r\n{\"a\":1}";
$chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\nA;ext=1\r\npedia in 1\r\n0\r\nTrailer: x\r\n\r\n";
$all = static fn (string $bytes, callable $check): callable => static function (Results $t) use ($bytes, $check, $parse): void {
    foreach ([1, 2, 3, 7, 100, 1 << 20] as $size) {
        $check($t, $parse($bytes, $size));
    }
};

return [
    'a sized answer in pieces of any size' => $all($sized, static function (Results $t, ?Response $response): void {
        $t->same('{"a":1}', $response?->body);
        $t->same(200, $response->status);
        $t->same('id-1', $response->headers->first('Lambda-Runtime-Aws-Request-Id'));
        $t->same(true, $response->keepAlive);
    }),
    'a chunked answer in pieces of any size' => $all($chunked, static function (Results $t, ?Response $response): void {
        $t->same('Wikipedia in 1', $response?->body);
        $t->same(true, $response->keepAlive);
    }),
    'interim answers are skipped' => $all("HTTP/1.1 100 Continue\r\n\r\n" . $sized, static function (Results $t, ?Response $response): void {
        $t->same('{"a":1}', $response?->body);
    }),
    'half an answer is not complete' => static function (Results $t) use ($parse, $sized, $chunked): void {
        foreach ([$sized, $chunked] as $bytes) {
            for ($length = 1; $length < strlen($bytes); $length++) {
                $t->same(null, $parse(substr($bytes, 0, $length), end: true), "first $length bytes");
            }
        }
    },
    'without a length the body ends with the connection' => static function (Results $t) use ($parse): void {
        $bytes = "HTTP/1.1 200 OK\r\n\r\nabc";
        $t->same(null, $parse($bytes));
        $response = $parse($bytes, end: true);
        $t->same('abc', $response?->body);
        $t->same(false, $response->keepAlive);
    },
    'a 204 has no body' => static fn (Results $t) => $t->same('', $parse("HTTP/1.1 204 No Content\r\n\r\n")?->body),
    'Connection: close is heard' => static fn (Results $t) => $t->same(
        false,
        $parse("HTTP/1.1 202 Accepted\r\nconnection: Keep-Alive, CLOSE\r\nContent-Length: 0\r\n\r\n")?->keepAlive,
    ),
    'HTTP/1.0 closes' => static fn (Results $t) => $t->same(false, $parse("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")?->keepAlive),
    'bytes after the answer forbid to use the connection again' => static fn (Results $t) => $t->same(
        false,
        $parse("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\nmore")?->keepAlive,
    ),
    'repeated and folded headers' => static function (Results $t) use ($parse): void {
        $response = $parse("HTTP/1.1 200 OK\r\nX: a\r\nx:b\r\nY: c\r\n\td\r\nnonsense\r\nContent-Length: 0\r\n\r\n");
        $t->same(['a', 'b'], $response?->headers->all('X'));
        $t->same('c d', $response->headers->first('y'));
        $t->same(null, $response->headers->first('z'));
    },
    'fields by the beginning of their names' => static fn (Results $t) => $t->same(
        ['b' => '1', 'c-d' => 'x:y', 'e' => ''],
        $parse("HTTP/1.1 200 OK\r\nA-B: \t1 \r\na-b: 2\r\nXA-B: 3\r\na-C-d:x:y\r\nA: 4\r\nA-E:\r\nContent-Length: 0\r\n\r\n")?->headers->under('a-'),
    ),
    // What comes whole is read by a shorter way.
    'an answer that comes whole is the same as one in pieces' => static function (Results $t) use ($parse): void {
        $show = static function (string $bytes, int $size) use ($parse): mixed {
            try {
                $response = $parse($bytes, $size, true);
            } catch (MalformedResponse $error) {
                return $error->getMessage();
            }
            $names = ['a', 'content-length', 'connection', 'transfer-encoding', 'x'];

            return $response === null ? null : [
                $response->status, $response->body, $response->keepAlive,
                array_map(static fn (string $name) => $response->headers->all($name), $names),
            ];
        };
        $starts = ['HTTP/1.1 200 OK', 'HTTP/1.1 202', 'HTTP/1.0 200 OK', 'HTTP/1.1 204 x', 'HTTP/1.1 304 x', 'HTTP/1.1 100 x', 'HTTP/1.1 2000 x'];
        $lines = [
            'Content-Length: 3', 'content-length:3 ', 'Content-Length: 0', 'Content-Length: x', 'Content-Length: 4', 'A: b', "a:\tc\t",
            ' folded', 'no colon', 'Connection: close', 'Connection: keep-alive', 'Transfer-Encoding: chunked', 'X: ', "X: a\r",
        ];
        mt_srand(7);
        for ($round = 0; $round < 3_000; $round++) {
            $head = $starts[mt_rand(0, 20) % count($starts)];
            for ($count = mt_rand(0, 4); $count > 0; $count--) {
                $head .= (mt_rand(0, 9) === 0 ? "\n" : "\r\n") . $lines[array_rand($lines)];
            }
            $bytes = $head . (mt_rand(0, 9) === 0 ? "\n\n" : "\r\n\r\n") . ['abc', "3\r\nabc\r\n0\r\n\r\n", 'abcd', ''][mt_rand(0, 3)];
            $t->same($show($bytes, 1), $show($bytes, 1 << 20), json_encode($bytes, JSON_THROW_ON_ERROR));
        }
    },
    'header values are bytes' => static fn (Results $t) => $t->same(
        '{"n":"é"}',
        $parse("HTTP/1.1 200 OK\r\nLambda-Runtime-Client-Context: {\"n\":\"é\"}\r\nContent-Length: 0\r\n\r\n")?->headers->first('lambda-runtime-client-context'),
    ),
    'what is not HTTP is refused' => static function (Results $t) use ($parse): void {
        foreach ([
            "SSH-2.0-x\r\n\r\n" => 'status line',
            "HTTP/2 200\r\n\r\n" => 'status line',
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab" => 'Content-Length',
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" => 'Content-Length',
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n" => 'size',
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n" => 'longer',
        ] as $bytes => $part) {
            $t->throws(MalformedResponse::class, $part, static fn () => $parse($bytes));
        }
    },
    'a head that drips in byte by byte takes no time' => static function (Results $t) use ($parse): void {
        $begin = hrtime(true);
        $bytes = "HTTP/1.1 200 OK\r\nX: " . str_repeat('a', 65536) . "\r\nContent-Length: 0\r\n\r\n";
        $t->same(200, $parse($bytes, 1)?->status);
        $t->same(true, (hrtime(true) - $begin) / 1e9 < 3.0);
    },
];
