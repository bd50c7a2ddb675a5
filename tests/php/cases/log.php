<?php

declare(strict_types=1);

use RuntimeBuilder\Tests\Results;

// In a process of its own: what counts is what arrives at stderr.
$logged = static function (array $environment, string $code) use ($client): array {
    $begin = "require '$client/src/Autoloader.php'; RuntimeBuilder\\Autoloader::register('$client/src');"
        . 'use RuntimeBuilder\Log;';
    $process = proc_open([PHP_BINARY, '-r', $begin . $code], [2 => ['pipe', 'w']], $pipes, null, $environment);
    $text = stream_get_contents($pipes[2]);
    fclose($pipes[2]);
    proc_close($process);

    return $text === '' ? [] : explode("\n", rtrim($text, "\n"));
};
$json = static fn (array $lines): array => array_map(
    static fn (string $line): array => json_decode($line, true, 512, JSON_THROW_ON_ERROR),
    $lines,
);

return [
    'text: the request id, one line' => static fn (Results $t) => $t->same(
        ['before', "id-1\ttwo | lines", 'raw ', 'x'],
        $logged([], 'Log::line("before"); Log::event("id-1"); Log::line("two\nlines"); Log::output("raw \nx");'),
    ),
    'JSON: time, level, message, request id and more' => static function (Results $t) use ($logged, $json): void {
        $code = 'Log::event("id-1"); Log::line("two\nlines \xff", Log::ERROR, ["errorType" => "T"]);';
        [$seen] = $json($logged(['AWS_LAMBDA_LOG_FORMAT' => 'JSON'], $code));
        $t->same(['timestamp', 'level', 'message', 'requestId', 'errorType'], array_keys($seen));
        $t->same(1, preg_match('/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/D', $seen['timestamp']), $seen['timestamp']);
        $t->same(['ERROR', "two\nlines \u{FFFD}", 'id-1'], [$seen['level'], $seen['message'], $seen['requestId']]);
    },
    'JSON: a record for each line of output, JSON as it is' => static function (Results $t) use ($logged, $json): void {
        $code = 'Log::output("one\ntw"); Log::output("o\n\n{\"a\":1}\n{no\nend"); Log::endOutput(); Log::endOutput();';
        $seen = $json($logged(['AWS_LAMBDA_LOG_FORMAT' => 'JSON'], $code));
        $t->same(['one', 'two', null, '{no', 'end'], array_map(static fn ($one) => $one['message'] ?? null, $seen));
        $t->same(['a' => 1], $seen[2]);
    },
    'PHP-FPM passes on messages of PHP' => static function (Results $t) use ($logged, $json): void {
        $code = 'Log::messages("PHP message: PHP Warning:  a in f\nPHP message: PHP Fatal error:  b\n#0 c\nPHP message: d\n");';
        $t->same(['PHP Warning:  a in f', 'PHP Fatal error:  b | #0 c', 'd'], $logged([], $code));
        $seen = $json($logged(['AWS_LAMBDA_LOG_FORMAT' => 'JSON'], $code));
        $t->same(['WARN', 'ERROR', 'INFO'], array_column($seen, 'level'));
        $t->same("PHP Fatal error:  b\n#0 c", $seen[1]['message']);
    },
    'the level that the function is set to' => static function (Results $t) use ($logged): void {
        $environment = ['AWS_LAMBDA_LOG_FORMAT' => 'json', 'AWS_LAMBDA_LOG_LEVEL' => 'warn'];
        $t->same(1, count($logged($environment, 'Log::line("a", Log::INFO); Log::line("b", Log::WARN);')));
        $t->same(2, count($logged(['AWS_LAMBDA_LOG_LEVEL' => 'WARN'], 'Log::line("a", Log::INFO); Log::line("b");')));
    },
];
