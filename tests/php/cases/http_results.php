<?php

declare(strict_types=1);

use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\Tests\Results;
use RuntimeBuilder\Web\CgiResponse;
use RuntimeBuilder\Web\HttpEvent;
use RuntimeBuilder\Web\HttpResult;

$v1 = HttpEvent::of(['httpMethod' => 'GET', 'path' => '/', 'multiValueHeaders' => []]);
$v1Single = HttpEvent::of(['httpMethod' => 'GET', 'path' => '/', 'headers' => []]);
$v2 = HttpEvent::of(['version' => '2.0', 'rawPath' => '/', 'requestContext' => ['http' => ['method' => 'GET']]]);
$alb = HttpEvent::of(['httpMethod' => 'GET', 'path' => '/', 'headers' => [], 'requestContext' => ['elb' => []]]);
$albMulti = HttpEvent::of(['httpMethod' => 'GET', 'path' => '/', 'multiValueHeaders' => [], 'requestContext' => ['elb' => []]]);

$result = static fn (HttpEvent $event, string $output): array => json_decode(
    json_encode((new HttpResult($event))->of(CgiResponse::parse($output)), JSON_THROW_ON_ERROR),
    true,
);
$output = "Status: 201 Created\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\nX-Tag: 1\r\nx-tag: 2\r\nContent-type: text/plain\r\n\r\nok";
$binary = static fn (string $type, string $body): callable => static fn (Results $t, bool $expected) => $t->same(
    $expected,
    $result($v2, "Content-Type: $type\r\n\r\n$body")['isBase64Encoded'],
    "$type " . bin2hex($body),
);

return [
    '2.0: values joined, cookies apart' => static fn (Results $t) => $t->same([
        'statusCode' => 201,
        'headers' => ['X-Tag' => '1, 2', 'Content-Type' => 'text/plain'],
        'cookies' => ['a=1', 'b=2'],
        'isBase64Encoded' => false,
        'body' => 'ok',
    ], $result($v2, $output)),
    '1.0: lists of values' => static fn (Results $t) => $t->same([
        'statusCode' => 201,
        'multiValueHeaders' => ['Set-Cookie' => ['a=1', 'b=2'], 'X-Tag' => ['1', '2'], 'Content-Type' => ['text/plain']],
        'isBase64Encoded' => false,
        'body' => 'ok',
    ], $result($v1, $output)),
    '1.0 without lists: no cookie is lost' => static fn (Results $t) => $t->same(
        ['Set-Cookie' => 'a=1', 'set-Cookie' => 'b=2', 'X-Tag' => '1, 2', 'Content-Type' => 'text/plain'],
        $result($v1Single, $output)['headers'],
    ),
    'twenty cookies have twenty names' => static function (Results $t) use ($result, $v1Single): void {
        $headers = $result($v1Single, str_repeat("Set-Cookie: x\r\n", 20) . "\r\n")['headers'];
        $t->same(20, count($headers));
        $t->same(['set-cookie'], array_values(array_unique(array_map('strtolower', array_keys($headers)))));
    },
    'load balancer: a description, and the form of the event' => static function (Results $t) use ($result, $alb, $albMulti, $output): void {
        $t->same('201 Created', $result($alb, $output)['statusDescription']);
        $t->same('1, 2', $result($alb, $output)['headers']['X-Tag']);
        $t->same(['1', '2'], $result($albMulti, $output)['multiValueHeaders']['X-Tag']);
        $t->same('299', $result($alb, "Status: 299\r\n\r\n")['statusDescription']);
    },
    'without a Status line it is 200' => static fn (Results $t) => $t->same(200, $result($v2, "X: y\r\n\r\nbody")['statusCode']),
    'no headers are an empty object' => static fn (Results $t) => $t->same(
        '{"statusCode":200,"headers":{},"isBase64Encoded":false,"body":""}',
        json_encode((new HttpResult($v2))->of(CgiResponse::parse("Status: 200\r\n\r\n"))),
    ),
    'a body may hold an empty line' => static fn (Results $t) => $t->same("a\r\n\r\nb", $result($v2, "X: y\r\n\r\na\r\n\r\nb")['body']),
    'a status out of range is a 500' => static fn (Results $t) => $t->same(500, $result($v2, "Status: 9\r\n\r\n")['statusCode']),
    'bytes go as base64' => static function (Results $t) use ($result, $v2): void {
        $seen = $result($v2, "Content-Type: text/plain\r\n\r\n\xff\0");
        $t->same([true, base64_encode("\xff\0")], [$seen['isBase64Encoded'], $seen['body']]);
    },
    'what is binary is decided by type, encoding and bytes' => static function (Results $t) use ($binary, $result, $v2): void {
        foreach ([['image/png', 'a', true], ['image/svg+xml', '<svg/>', false], ['text/html; charset=UTF-8', 'é', false],
            ['text/html', "\xe9", true], ['application/json', '{}', false], ['application/pdf', '%PDF', true],
            ['application/octet-stream', 'a', true], ['font/woff2', 'a', true]] as [$type, $body, $expected]) {
            $binary($type, $body)($t, $expected);
        }
        $t->same(true, $result($v2, "Content-Encoding: gzip\r\n\r\nabc")['isBase64Encoded']);
        $t->same(false, $result($v2, "Content-Encoding: identity\r\n\r\nabc")['isBase64Encoded']);
    },
    'header values in Latin-1 become UTF-8' => static fn (Results $t) => $t->same('café', $result($v2, "X-L: caf\xe9\r\n\r\n")['headers']['X-L']),
    'always binary: whatever the body is' => static function (Results $t) use ($v2): void {
        $result = (new HttpResult($v2, true))->of(CgiResponse::parse("Content-Type: text/plain\r\n\r\nok"));
        $t->same([true, 'b2s='], [$result['isBase64Encoded'], $result['body']]);
        $empty = (new HttpResult($v2, true))->of(CgiResponse::parse("Status: 302 Found\r\n\r\n"));
        $t->same([false, ''], [$empty['isBase64Encoded'], $empty['body']]);
    },
    '204 and 304 have no body' => static function (Results $t) use ($result, $v2): void {
        foreach ([204, 304] as $status) {
            $t->same('', $result($v2, "Status: $status\r\nETag: x\r\n\r\nstray")['body']);
        }
    },
    'a status that announces another answer is an error' => static fn (Results $t) => $t->throws(
        InvocationFailure::class,
        'answered with status 103',
        static fn () => $result($v2, "Status: 103 Early Hints\r\n\r\n"),
    ),
    'a header that HTTP does not allow is left out of the answer' => static function (Results $t) use ($result, $v2): void {
        $output = "X A: 1\r\nX-B: 2\rX-Evil: 1\r\nno colon\r\nX-C: 3\0z\r\nX-D: 4\r\n\r\nX-E: 5";
        $t->same(['X-D' => '4'], $result($v2, $output)['headers']);
    },
];
