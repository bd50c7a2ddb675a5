<?php

declare(strict_types=1);

use RuntimeBuilder\BigInteger;
use RuntimeBuilder\Json;
use RuntimeBuilder\Tests\Results;

$roundTrip = static function (string $json): callable {
    return static fn (Results $t) => $t->same($json, Json::encode(Json::decode($json)));
};

$same = [
    '{}', '[]', 'null', 'true', '0', '-7', '1.0', '1.5', '""', '"a/b"', '"é漢🙂"', '"a\u0000b"', '[{}]', '[[]]', '{"a":{}}',
    '{"a":[]}', '{"detail":{},"list":[{}]}', '{"0":"a","1":"b"}', '{"a":{"0":1}}', '{"1":2}', '{"0":1,"2":3}', '{"":1}',
    '9007199254740993', '-9223372036854775808', '{"a":"{}"}', '[0,1,"0"]', '{"\u0000a":1}',
];
$tests = [];
foreach ($same as $json) {
    $tests["$json comes back as it was"] = $roundTrip($json);
}

return $tests + [
    'objects are arrays' => static fn (Results $t) => $t->same(['a' => ['b' => 1]], Json::decode('{"a":{"b":1}}')),
    'an empty object is read like an array' => static function (Results $t): void {
        $event = Json::decode("{\"detail\": {\n}}");
        $t->same(null, $event['detail']['id'] ?? null);
        $t->same(0, count($event['detail']));
        $t->same([], iterator_to_array($event['detail']));
    },
    'an object with the keys of a list is read like an array' => static function (Results $t): void {
        $t->same('b', Json::decode('{"x":{"0":"a","1":"b"}}')['x'][1]);
    },
    'an escaped key 0 is seen too' => static fn (Results $t) => $t->same('{"0":1}', Json::encode(Json::decode('{"\u0030":1}'))),
    'blanks around are fine' => static fn (Results $t) => $t->same(['a' => 1], Json::decode(" \n{ \"a\" : 1 }\r\n")),
    'no text is null' => static fn (Results $t) => $t->same(null, Json::decode('')),
    'the last of two equal keys counts' => static fn (Results $t) => $t->same(['a' => 2], Json::decode('{"a":1,"a":2}')),
    'nesting of 4,000 levels comes back' => $roundTrip(str_repeat('[', 4000) . str_repeat(']', 4000)),
    'objects nested 2,000 levels come back' => $roundTrip(str_repeat('{"a":', 2000) . '{}' . str_repeat('}', 2000)),
    'nesting of 50,000 levels is an error, not a crash' => static function (Results $t): void {
        $t->throws(JsonException::class, '', static fn () => Json::decode(str_repeat('[', 50000) . str_repeat(']', 50000)));
    },
    'broken JSON is an error' => static function (Results $t): void {
        foreach (['{', '[1,]', "\xff", '"\ud800"', "\u{FEFF}{}", 'NaN'] as $json) {
            $t->throws(JsonException::class, '', static fn () => Json::decode($json));
        }
    },
    'what JSON cannot hold is an error' => static function (Results $t): void {
        foreach (["\xff\xfe", NAN, INF, fopen('php://memory', 'r')] as $value) {
            $t->throws(JsonException::class, '', static fn () => Json::encode($value));
        }
    },
    'a large event is read quickly' => static function (Results $t): void {
        $json = '[' . implode(',', array_fill(0, 100_000, '{"id":12345,"name":"abcdefghijklm","empty":{}}')) . ']';
        $begin = hrtime(true);
        $t->same($json, Json::encode(Json::decode($json)));
        $t->same(true, (hrtime(true) - $begin) / 1e9 < 3.0, 'seconds for 5 MB: ' . (hrtime(true) - $begin) / 1e9);
    },
    'objects all the way for those who want them' => static function (Results $t): void {
        $t->same('{"a":{},"b":[]}', Json::encode(Json::decodeToObjects('{"a":{},"b":[]}')));
        $t->same(stdClass::class, Json::decodeToObjects('{}')::class);
    },
    'integers beyond 64 bits come back as they were' => static function (Results $t): void {
        $json = '{"a":12345678901234567890,"b":[-98765432109876543210987654321,9223372036854775807,-9223372036854775808],'
            . '"c":"12345678901234567890","d":0.1234567890123456789,"e":{"f":9223372036854775808},"g":"a\\"123,1234567890123456789012"}';
        $value = Json::decode($json);
        $t->same(BigInteger::class, $value['a']::class);
        $t->same('12345678901234567890', (string) $value['a']);
        $t->same(['12345678901234567890', PHP_INT_MAX, PHP_INT_MIN], [$value['c'], $value['b'][1], $value['b'][2]]);
        $t->same(str_replace('0.1234567890123456789', '0.12345678901234568', $json), Json::encode($value));
        $t->same('18446744073709551616', Json::encode(Json::decode('18446744073709551616')));
        $objects = Json::decodeToObjects($json);
        $t->same('9223372036854775808', (string) $objects->e->f);
        $t->same('-98765432109876543210987654321', (string) $objects->b[0]);
        $t->same('[18446744073709551616]', Json::encode([new BigInteger('18446744073709551616')]));
    },
    'a big integer is nothing else' => static fn (Results $t) => $t->throws(
        InvalidArgumentException::class,
        "'1,2' is not an integer",
        static fn () => new BigInteger('1,2'),
    ),
    'big integers beside keys that PHP has no names for' => static fn (Results $t) => $t->same(
        '{"\\u0000a":18446744073709551616}',
        Json::encode(array_slice(Json::decode('{"\\u0000a":18446744073709551616,"x":{}}'), 0, 1)),
    ),
];
