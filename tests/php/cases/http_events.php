<?php

declare(strict_types=1);

use RuntimeBuilder\Api\Invocation;
use RuntimeBuilder\Context;
use RuntimeBuilder\Tests\Results;
use RuntimeBuilder\Web\FastCgiParameters;
use RuntimeBuilder\Web\HttpEvent;
use RuntimeBuilder\Web\UnknownEvent;

$context = Context::of(new Invocation('id-1', '', 1767225600000, 'arn:aws:lambda:x', 'Root=1'));
$params = static fn (array $event): array => (new FastCgiParameters('/var/task/public/index.php'))->of(HttpEvent::of($event), $context);

$v1 = [
    'resource' => '/{proxy+}',
    'path' => '/shop/items',
    'httpMethod' => 'GET',
    'headers' => ['Host' => 'api.example.com', 'X-Forwarded-Port' => '443', 'X-Forwarded-Proto' => 'https', 'X-Forwarded-For' => '198.51.100.1, 203.0.113.9'],
    'multiValueHeaders' => ['Host' => ['api.example.com'], 'X-Forwarded-Port' => ['443'], 'X-Forwarded-Proto' => ['https'], 'X-Forwarded-For' => ['198.51.100.1, 203.0.113.9']],
    'queryStringParameters' => null,
    'multiValueQueryStringParameters' => null,
    'requestContext' => ['protocol' => 'HTTP/2.0', 'identity' => ['sourceIp' => '198.51.100.1']],
    'body' => null,
    'isBase64Encoded' => false,
];
$v2 = [
    'version' => '2.0',
    'rawPath' => '/shop/items',
    'rawQueryString' => '',
    'headers' => ['host' => 'api.example.com', 'x-forwarded-port' => '443', 'x-forwarded-proto' => 'https'],
    'requestContext' => ['http' => ['method' => 'GET', 'path' => '/shop/items', 'protocol' => 'HTTP/1.1', 'sourceIp' => '198.51.100.1']],
    'isBase64Encoded' => false,
];
$alb = [
    'httpMethod' => 'GET',
    'path' => '/shop/items',
    'queryStringParameters' => [],
    'headers' => ['host' => 'lb.example.com', 'x-forwarded-port' => '80', 'x-forwarded-proto' => 'http', 'x-forwarded-for' => '198.51.100.1'],
    'requestContext' => ['elb' => ['targetGroupArn' => 'arn:x']],
    'body' => '',
    'isBase64Encoded' => false,
];
$forms = ['1.0' => $v1, '2.0' => $v2, 'load balancer' => $alb];

/** What the parameters have to be for an event; null: there must be no such parameter. */
$expect = static function (array $event, array $expected) use ($params): callable {
    return static function (Results $t) use ($event, $expected, $params): void {
        $seen = $params($event);
        foreach ($expected as $name => $value) {
            $t->same($value, $seen[$name] ?? null, $name);
        }
    };
};

$tests = [
    '1.0: a plain GET' => $expect($v1, [
        'GATEWAY_INTERFACE' => 'CGI/1.1', 'REQUEST_METHOD' => 'GET', 'REQUEST_URI' => '/shop/items', 'QUERY_STRING' => '',
        'PATH_INFO' => '/shop/items', 'SCRIPT_NAME' => '/index.php', 'SCRIPT_FILENAME' => '/var/task/public/index.php',
        'DOCUMENT_ROOT' => '/var/task/public', 'SERVER_PROTOCOL' => 'HTTP/2.0', 'SERVER_NAME' => 'api.example.com', 'SERVER_PORT' => '443',
        'HTTPS' => 'on', 'REQUEST_SCHEME' => 'https', 'REMOTE_ADDR' => '198.51.100.1', 'CONTENT_LENGTH' => '0', 'CONTENT_TYPE' => null,
        'HTTP_HOST' => 'api.example.com', 'HTTP_X_FORWARDED_FOR' => '198.51.100.1, 203.0.113.9', 'LAMBDA_REQUEST_ID' => 'id-1',
        '_X_AMZN_TRACE_ID' => 'Root=1', 'LAMBDA_REQUEST_CONTEXT' => '{"protocol":"HTTP/2.0","identity":{"sourceIp":"198.51.100.1"}}',
    ]),
    '2.0: a plain GET' => $expect($v2, [
        'REQUEST_METHOD' => 'GET', 'REQUEST_URI' => '/shop/items', 'SERVER_PROTOCOL' => 'HTTP/1.1', 'REMOTE_ADDR' => '198.51.100.1',
        'HTTPS' => 'on', 'SERVER_PORT' => '443', 'SERVER_NAME' => 'api.example.com',
    ]),
    'load balancer: a plain GET' => $expect($alb, [
        'REQUEST_METHOD' => 'GET', 'REQUEST_URI' => '/shop/items', 'SERVER_PROTOCOL' => 'HTTP/1.1', 'REMOTE_ADDR' => '198.51.100.1',
        'HTTPS' => null, 'REQUEST_SCHEME' => 'http', 'SERVER_PORT' => '80', 'SERVER_NAME' => 'lb.example.com',
    ]),
    'load balancer: the client cannot claim another address' => $expect(
        ['headers' => ['x-forwarded-for' => '10.0.0.1, 198.51.100.7']] + $alb,
        ['REMOTE_ADDR' => '198.51.100.7'],
    ),
    'load balancer: a health check without headers' => $expect(
        ['headers' => null] + $alb,
        ['REMOTE_ADDR' => '127.0.0.1', 'SERVER_NAME' => 'localhost', 'SERVER_PORT' => '80'],
    ),
    '1.0: the query is encoded again' => $expect(
        ['multiValueQueryStringParameters' => ['a' => ['1', '2'], 'b[]' => ['x y'], 'c&d' => ['=é']]] + $v1,
        ['QUERY_STRING' => 'a=1&a=2&b%5B%5D=x%20y&c%26d=%3D%C3%A9', 'REQUEST_URI' => '/shop/items?a=1&a=2&b%5B%5D=x%20y&c%26d=%3D%C3%A9'],
    ),
    '1.0: single values only' => $expect(
        ['multiValueHeaders' => null, 'queryStringParameters' => ['a' => '0', 'b' => '']] + $v1,
        ['QUERY_STRING' => 'a=0&b=', 'HTTP_HOST' => 'api.example.com'],
    ),
    '2.0: the query stays as it was sent' => $expect(
        ['rawQueryString' => 'a.b=c&a=1&a=2&x[]=%20&e'] + $v2,
        ['QUERY_STRING' => 'a.b=c&a=1&a=2&x[]=%20&e', 'REQUEST_URI' => '/shop/items?a.b=c&a=1&a=2&x[]=%20&e'],
    ),
    'load balancer: the query arrives encoded' => $expect(
        ['multiValueQueryStringParameters' => ['a%20b' => ['%26'], 'c' => ['1', '2']]] + $alb,
        ['QUERY_STRING' => 'a%20b=%26&c=1&c=2'],
    ),
    '1.0: cookies of several headers' => $expect(
        ['multiValueHeaders' => ['Cookie' => ['a=1', 'b=2; c=3']]] + $v1,
        ['HTTP_COOKIE' => 'a=1; b=2; c=3'],
    ),
    '2.0: cookies have a place of their own' => $expect(['cookies' => ['a=1', 'b=2']] + $v2, ['HTTP_COOKIE' => 'a=1; b=2']),
    'a repeated header keeps all its values' => $expect(
        ['multiValueHeaders' => ['X-Tag' => ['a', 'b'], 'x-tag' => ['c']]] + $v1,
        ['HTTP_X_TAG' => 'a, b, c'],
    ),
    'a header with underscores cannot pose as another' => $expect(
        ['headers' => ['x_real_ip' => 'evil', 'x-real-ip' => 'good', 'x_other' => 'o']] + $v2,
        ['HTTP_X_REAL_IP' => 'good', 'HTTP_X_OTHER' => 'o'],
    ),
    'a Proxy header is dropped' => $expect(['headers' => ['proxy' => 'http://evil']] + $v2, ['HTTP_PROXY' => null]),
    'the body "0" is a body' => $expect(
        ['body' => '0'] + $alb,
        ['CONTENT_LENGTH' => '1', 'CONTENT_TYPE' => 'application/x-www-form-urlencoded'],
    ),
    'the length is that of the decoded body' => $expect(
        ['body' => base64_encode("\xff\0a"), 'isBase64Encoded' => true, 'headers' => ['content-length' => '4', 'content-type' => 'x/y']] + $v2,
        ['CONTENT_LENGTH' => '3', 'HTTP_CONTENT_LENGTH' => '3', 'CONTENT_TYPE' => 'x/y'],
    ),
    'a path that arrives decoded is encoded for the request line' => $expect(
        ['path' => '/ä b/%2F?x#'] + $v1,
        ['REQUEST_URI' => '/%C3%A4%20b/%2F%3Fx%23', 'PATH_INFO' => '/ä b//?x#'],
    ),
    'the host may have a port' => $expect(['headers' => ['host' => 'localhost:8000']] + $v2, ['SERVER_NAME' => 'localhost', 'SERVER_PORT' => '80']),
    'the host may be an IPv6 address' => $expect(['headers' => ['host' => '[::1]:8000']] + $v2, ['SERVER_NAME' => '[::1]']),
    'the context is JSON of stable names' => static function (Results $t) use ($params, $v2): void {
        $seen = json_decode($params($v2)['LAMBDA_INVOCATION_CONTEXT'], true);
        $t->same(['id-1', 1767225600000, 'arn:aws:lambda:x', 'Root=1'], [$seen['awsRequestId'], $seen['deadlineMs'], $seen['invokedFunctionArn'], $seen['traceId']]);
    },
    'body bytes are decoded' => static function (Results $t) use ($v2): void {
        $t->same("\xff\0a", HttpEvent::of(['body' => base64_encode("\xff\0a"), 'isBase64Encoded' => true] + $v2)->body);
        $t->same('é', HttpEvent::of(['body' => 'é'] + $v2)->body);
    },
    'what is no HTTP request is refused' => static function (Results $t) use ($v2): void {
        foreach ([null, 7, 'x', [], ['Records' => []], ['requestContext' => ['connectionId' => 'x']], ['httpMethod' => 3]] as $event) {
            $t->throws(UnknownEvent::class, '', static fn () => HttpEvent::of($event));
        }
        $t->throws(UnknownEvent::class, 'base64', static fn () => HttpEvent::of(['body' => '%%%', 'isBase64Encoded' => true] + $v2));
    },
];
foreach ($forms as $name => $event) {
    $tests["$name: every parameter is a string without line break"] = static function (Results $t) use ($params, $event): void {
        foreach ($params($event) as $key => $value) {
            $t->same(1, preg_match('/^[A-Z0-9_]+$/D', (string) $key), (string) $key);
            $t->same('string', gettype($value), (string) $key);
        }
    };
}

return $tests + [
    'what happens on a WebSocket is a request' => static function (Results $t): void {
        $context = static fn (string $type): array => [
            'connectionId' => 'c=', 'eventType' => $type, 'routeKey' => '$default', 'domainName' => 'ws.example',
            'identity' => ['sourceIp' => '192.0.2.7'],
        ];
        $open = HttpEvent::of([
            'headers' => ['Host' => 'a.example', 'X-Forwarded-Proto' => 'https'],
            'multiValueQueryStringParameters' => ['room' => ['a&b', 'c']],
            'requestContext' => $context('CONNECT'),
        ]);
        $t->same(['GET', '/websocket/connect', 'room=a%26b&room=c'], [$open->method, $open->path, $open->query]);
        $t->same(['a.example', '192.0.2.7'], [$open->headers['host'], $open->sourceIp]);
        $message = HttpEvent::of([
            'requestContext' => $context('MESSAGE'), 'body' => 'aGk=', 'isBase64Encoded' => true,
        ]);
        $t->same(['POST', '/websocket/message', 'hi'], [$message->method, $message->path, $message->body]);
        $t->same(['ws.example', 'https'], [$message->headers['host'], $message->headers['x-forwarded-proto']]);
        $t->same('application/octet-stream', $message->headers['content-type']);
        $t->same('/websocket/disconnect', HttpEvent::of(['requestContext' => $context('DISCONNECT')])->path);
    },
    'an event that is no request says what came' => static function (Results $t): void {
        foreach ([[['Records' => []], 'its keys are: Records'], [[], 'it is empty'], [7, 'the event is int']] as [$event, $told]) {
            $t->throws(UnknownEvent::class, $told, static fn () => HttpEvent::of($event));
        }
    },
    'a header that HTTP does not allow is left out' => static function (Results $t): void {
        $event = HttpEvent::of([
            'version' => '2.0',
            'headers' => ['x-a' => "1\r\nX-Evil: 1", 'x b' => '2', "x-c\n" => '3', 'x-d' => "4\0", 'x-e' => "5\t6", '' => '7'],
            'requestContext' => ['http' => ['method' => 'GET']],
        ]);
        $t->same(['x-e' => "5\t6"], $event->headers);
    },
];
