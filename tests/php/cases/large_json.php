<?php

declare(strict_types=1);

use RuntimeBuilder\Json;
use RuntimeBuilder\LargeJson;
use RuntimeBuilder\Tests\Results;

/** What a call gives, or which error it throws. */
$outcome = static function (callable $call): mixed {
    try {
        return ['value', $call()];
    } catch (JsonException $error) {
        return ['error', $error->getCode(), $error->getMessage()];
    }
};
/** The same values of the same types in the same order, objects included. */
$print = static fn (mixed $value): string => serialize($value);
$check = static function (Results $t, string $json, int $depth = 512) use ($outcome, $print): void {
    foreach ([true, false] as $toArrays) {
        $t->same(
            hash('xxh3', $print($outcome(static fn () => json_decode($json, $toArrays, $depth, JSON_THROW_ON_ERROR)))),
            hash('xxh3', $print($outcome(static fn () => LargeJson::decode($json, $toArrays, $depth)))),
            ($toArrays ? 'arrays ' : 'objects ') . preg_replace('/(.)\1{100,}/', '$1$1...', $json),
        );
    }
};
$flags = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION | JSON_THROW_ON_ERROR;
$same = static function (Results $t, mixed $value, string $what) use ($outcome, $flags): void {
    $t->same(
        hash('xxh3', serialize($outcome(static fn () => json_encode($value, $flags, 512)))),
        hash('xxh3', serialize($outcome(static fn () => LargeJson::encode($value, $flags, 512)))),
        $what,
    );
};
$plain = str_repeat('a/B+9 =~!', 8_000);
$texts = [
    'plain' => $plain,
    'just enough' => str_repeat('x', Json::LARGE),
    'too short' => str_repeat('x', Json::LARGE - 1),
    'digits' => str_repeat('0', Json::LARGE + 1),
    'quotes' => str_repeat('a"', 40_000),
    'a quote at the end' => $plain . '"',
    'a backslash at the end' => $plain . '\\',
    'a backslash before a quote' => $plain . '\\"' . $plain,
    'a line break' => $plain . "\n" . $plain,
    'a line break at the end' => "$plain\n",
    'NUL' => $plain . "\0",
    'DEL' => $plain . "\x7f",
    'UTF-8' => $plain . 'é€😀' . $plain,
    'line separator' => $plain . "\u{2028}",
    'Latin-1' => $plain . "\xe9",
    'surrogate' => $plain . "\xed\xa0\x80",
];
$raw = ['line break' => "\"$plain\n\"", 'NUL' => "\"$plain\0\"", 'Latin-1' => "\"$plain\xe9\"", 'UTF-8' => "\"{$plain}é\"", 'tab' => "\"\t$plain\""];

return [
    'large texts of every kind are read as PHP reads them' => static function (Results $t) use ($texts, $raw, $check, $flags): void {
        $literals = array_filter(array_map(static fn (string $text) => json_encode($text, $flags & ~JSON_THROW_ON_ERROR), $texts)) + $raw;
        foreach ($literals as $literal) {
            foreach ([
                '%s', ' %s ', '%s%s', '%s,', '[%s', '[%s]', '[%s,%s]', '{"a":%s}', '{"a":%s,"a":%s}', '{"a":%s,"a":1}', '{"a":1,"a":%s}',
                '{%s:1}', '{%s:%s}', '[[%s]]', '{"a":{"b":%s}}', '{"a":%s,"b":{"c":%s}}', '{"0":%s,"1":2}', '{"":%s}', '{"\u0000a":%s}',
                '{"a\"b":"\\\\","c":%s}', '["\\\\\\"",%s,"\\\\"]', '["x\"]",%s]', "[\"\x01\",%s]", '["\q",%s]', '\ %s', '"\\', "[\xff%s]", '{"a" %s}',
                '[%s,"\ud800"]', '["\ud83d\ude00",%s]', '{"n":12345678901234567890123,"t":%s}', '{"f":1.0,"e":{},"t":%s}', '%s"',
                "[1,\n\t%s\r]", '[tru,%s]', '[%s,nul]', "{\"x\":'%s'}",
            ] as $form) {
                $check($t, str_replace('%s', $literal, $form));
            }
        }
    },
    'the depth counts the same' => static function (Results $t) use ($plain, $check): void {
        foreach ([1, 2, 3, 4] as $depth) {
            $check($t, "[[[\"$plain\"]]]", $depth);
            $check($t, "{\"a\":\"$plain\",\"b\":[[1]]}", $depth);
            $check($t, "\"$plain\"", $depth);
        }
    },
    'documents at random' => static function (Results $t) use ($plain, $check): void {
        mt_srand(11);
        $parts = [
            '"', '\\', '\"', '\\\\', '{', '}', '[', ']', ',', ':', ' ', '1', 'true', '"a"', '"a":', '"b":', "\"$plain\"", "\"$plain\"", "\"{$plain}\\n\"",
            "\"$plain\":", '\u0041', "\n", "\xff", '{"a":1}', '[]',
        ];
        for ($round = 0; $round < 600; $round++) {
            $json = ['', '[', '{"a":'][mt_rand(0, 2)];
            for ($count = mt_rand(1, 7); $count > 0; $count--) {
                $json .= $parts[array_rand($parts)] . (mt_rand(0, 2) === 0 ? ',' : '');
            }
            $check($t, $json . ['', ']', '}'][mt_rand(0, 2)]);
        }
    },
    'valid documents at random' => static function (Results $t) use ($texts, $check, $same): void {
        mt_srand(13);
        $make = static function (int $depth) use (&$make, $texts): mixed {
            $kind = mt_rand(0, $depth > 0 ? 9 : 6);
            if ($kind <= 1) {
                return $texts[['plain', 'quotes', 'UTF-8', 'just enough', 'too short'][mt_rand(0, 4)]];
            }
            if ($kind <= 6) {
                return [null, 1.0, 'short "text"', -7, true][$kind - 2];
            }
            $values = [];
            for ($count = mt_rand(0, 4); $count > 0; $count--) {
                $values[$kind === 7 ? count($values) : ['a', 'b', '0', '1', '', 'é"'][mt_rand(0, 5)]] = $make($depth - 1);
            }

            return $kind === 9 ? (object) $values : $values;
        };
        for ($round = 0; $round < 150; $round++) {
            $value = $make(3);
            $check($t, json_encode($value, JSON_THROW_ON_ERROR));
            $same($t, $value, "round $round");
        }
    },
    'more texts than are looked at' => static function (Results $t) use ($plain, $check): void {
        $check($t, '[' . str_repeat('"a",', 5_000) . "\"$plain\"]");
        $check($t, '[' . str_repeat('"\\\\\"",', 5_000) . "\"$plain\"]");
        $check($t, '["' . str_repeat('\\\\', 5_000) . "\",\"$plain\"]");
        $check($t, "[\"$plain\"," . str_repeat('"a",', 5_000) . "\"$plain\"]");
    },
    'large texts of every kind are written as PHP writes them' => static function (Results $t) use ($texts, $same): void {
        foreach ($texts as $name => $text) {
            foreach ([$text, [$text], ['a' => $text], [$text, 1.0, $text], ['x' => ['y' => $text]], [5 => $text], (object) ['a' => $text], [$text => 1],
                [$text, "\xff"], [$text, NAN], [[[]], $text, new ArrayObject([])]] as $number => $value) {
                $same($t, $value, "$name $number");
            }
        }
    },
    'a reference in a result stays what it is' => static function (Results $t) use ($plain, $flags): void {
        $text = $plain;
        $value = ['a' => &$text];
        $t->same(json_encode($value, $flags), LargeJson::encode($value, $flags, 512));
        $t->same($plain, $text);
    },
    'a result that holds itself is an error' => static function (Results $t) use ($plain, $same): void {
        $value = ['a' => $plain];
        $value['b'] = &$value;
        $same($t, $value, 'itself');
    },
    'an event of a function and its result' => static function (Results $t) use ($plain): void {
        $json = "{\"empty\":{},\"number\":12345678901234567890123,\"body\":\"$plain\"}";
        $t->same($json, Json::encode(Json::decode($json)));
        $t->same($json, Json::encode(Json::decodeToObjects($json)));
        $t->same("\"$plain\"", Json::encode(Json::decode("\"$plain\"")));
    },
];
