<?php

declare(strict_types=1);

use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\StreamedResponse;
use RuntimeBuilder\Streaming\Body;
use RuntimeBuilder\Tests\Results;
use RuntimeBuilder\Web\CgiResponse;

$open = static function (string ...$pieces): array {
    [$head, $body] = CgiResponse::open(new ArrayIterator($pieces));

    return [$head->status, $head->fields, implode('|', array_filter(iterator_to_array($body, false), 'strlen'))];
};

return [
    'the prelude is in the first piece' => static function (Results $t): void {
        $body = Body::ofHttp(['statusCode' => 201, 'headers' => (object) ['X' => "a\0"]], ['one', '', 'two']);
        $t->same(Body::HTTP, $body->contentType);
        $t->same(
            ['{"statusCode":201,"headers":{"X":"a\u0000"}}' . str_repeat("\0", 8) . 'one', 'two'],
            iterator_to_array($body->pieces(), false),
        );
    },
    'an empty stream has its prelude all the same' => static function (Results $t): void {
        $t->same(['{"statusCode":204}' . str_repeat("\0", 8)], iterator_to_array(Body::ofHttp(['statusCode' => 204], [])->pieces(), false));
        $t->same([], iterator_to_array(Body::ofBytes([], 'text/plain')->pieces(), false));
    },
    'what goes wrong before the first piece goes wrong at once' => static fn (Results $t) => $t->throws(
        LogicException::class,
        'before',
        static fn () => Body::ofBytes((static function (): Generator {
            throw new LogicException('before');
            yield '';
        })(), 'text/plain'),
    ),
    'a piece that is no string is an error, whenever it comes' => static function (Results $t): void {
        $told = 'a piece of a streamed response is array, not a string';
        $t->throws(InvocationFailure::class, $told, static fn () => Body::ofBytes([[]], 'text/plain'));
        $late = Body::ofBytes(['a', []], 'text/plain');
        $t->throws(InvocationFailure::class, $told, static fn () => iterator_to_array($late->pieces(), false));
    },
    'a handler says status, headers and cookies' => static function (Results $t): void {
        $response = StreamedResponse::http(['x'], 404, ['X-A' => 'b'], ['c=d']);
        $t->same(['statusCode', 'headers', 'cookies'], array_keys($response->http ?? []));
        $t->same(null, StreamedResponse::of(['x'], 'text/event-stream')->http);
    },
    'the head of an answer in pieces, wherever they are cut' => static function (Results $t) use ($open): void {
        $fields = [['A', 'b']];
        $t->same([200, $fields, 'one|two'], $open("A: b\r\n\r\none", 'two'));
        $t->same([200, $fields, 'one'], $open("A: b\r\n", "\r", "\none"));
        $t->same([404, [], 'x'], $open("Status: 404 Not Found\n\n", 'x'));
        $t->same([200, [], 'no head'], $open('no head'));
        $t->same([304, $fields, ''], $open("Status: 304\r\nA: b\r\n\r\nstray", 'more'));
    },
];
