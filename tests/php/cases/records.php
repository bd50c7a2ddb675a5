<?php

declare(strict_types=1);

use RuntimeBuilder\Fpm\FastCgiProtocolError;
use RuntimeBuilder\Fpm\RecordParser;
use RuntimeBuilder\Fpm\Records;
use RuntimeBuilder\Tests\Results;

/** @return list<array{int, string}> type and content of each record */
$split = static function (string $bytes): array {
    $records = [];
    for ($offset = 0; $offset < strlen($bytes);) {
        $head = unpack('Cversion/Ctype/nid/nlength/Cpadding', $bytes, $offset);
        $records[] = [$head['type'], substr($bytes, $offset + 8, $head['length'])];
        $offset += 8 + $head['length'] + $head['padding'];
    }

    return $records;
};
$record = static fn (int $type, string $content, int $padding = 0): string => pack('CCnnCx', 1, $type, 1, strlen($content), $padding)
    . $content . str_repeat("\0", $padding);

return [
    'a request is begun, has its parameters and its input' => static function (Results $t) use ($split): void {
        $t->same([
            [Records::BEGIN, "\0\1\1\0\0\0\0\0"],
            [Records::PARAMS, "\1\2Abc\1\0D"],
            [Records::PARAMS, ''],
            [Records::STDIN, '0'],
            [Records::STDIN, ''],
        ], $split(Records::request(['A' => 'bc', 'D' => ''], '0')));
    },
    'long values have four bytes of length' => static function (Results $t) use ($split): void {
        $t->same("\1\x80\0\0\x80A" . str_repeat('x', 128), $split(Records::request(['A' => str_repeat('x', 128)], ''))[1][1]);
    },
    'no pair goes over the border of two records' => static function (Results $t) use ($split): void {
        $params = array_fill_keys(['A', 'B', 'C'], str_repeat('x', 40_000));
        $records = array_filter($split(Records::request($params, '')), static fn ($r) => $r[0] === Records::PARAMS && $r[1] !== '');
        $t->same([40_006, 40_006, 40_006], array_map(static fn ($r) => strlen($r[1]), array_values($records)));
    },
    'a value that no record can hold is left out' => static function (Results $t) use ($split): void {
        $t->same("\1\1Bb", $split(Records::request(['A' => str_repeat('x', 70_000), 'B' => 'b'], ''))[1][1]);
    },
    'a large body goes in several records' => static function (Results $t) use ($split): void {
        $body = random_bytes(200_000);
        $pieces = array_filter($split(Records::request([], $body)), static fn ($r) => $r[0] === Records::STDIN);
        $t->same(true, $body === implode('', array_column($pieces, 1)));
        $t->same('', end($pieces)[1]);
    },
    'an answer in pieces of any size' => static function (Results $t) use ($record): void {
        $bytes = $record(Records::STDOUT, "X: y\r\n\r\nab", 3) . $record(Records::STDERR, 'oops') . $record(Records::STDOUT, 'c')
            . $record(Records::STDOUT, '') . $record(Records::END, "\0\0\0\0\0\0\0\0");
        foreach ([1, 5, 8, 1000] as $size) {
            $parser = new RecordParser();
            $errors = '';
            foreach (str_split($bytes, $size) as $piece) {
                $t->same(false, $parser->isComplete());
                $parser->feed($piece);
                $errors .= $parser->takeErrors();
            }
            $t->same(true, $parser->isComplete());
            $t->same("X: y\r\n\r\nabc", $parser->output());
            $t->same('oops', $errors);
        }
    },
    'a refusal is an error' => static function (Results $t) use ($record): void {
        $t->throws(FastCgiProtocolError::class, 'status 2', static fn () => (new RecordParser())->feed($record(Records::END, "\0\0\0\0\2\0\0\0")));
        $t->throws(FastCgiProtocolError::class, 'not FastCGI', static fn () => (new RecordParser())->feed('HTTP/1.1 200 OK'));
    },
];
