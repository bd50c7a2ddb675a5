<?php

declare(strict_types=1);

use RuntimeBuilder\Console\CommandLine;
use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\Tests\Results;

$table = [
    'migrate --force' => ['migrate', '--force'],
    "  a \t b\n" => ['a', 'b'],
    '' => [],
    '"a b" c' => ['a b', 'c'],
    "'a b' c" => ['a b', 'c'],
    'a\ b' => ['a b'],
    '"a \"b\" \\\\ \$x \n"' => ['a "b" \\ $x \n'],
    "'a\\b'" => ['a\\b'],
    "--name='x y'z" => ['--name=x yz'],
    "'' \"\"" => ['', ''],
    '$HOME `id` $(id) * ; | > &' => ['$HOME', '`id`', '$(id)', '*', ';', '|', '>', '&'],
    'é "漢 字"' => ['é', '漢 字'],
    'a\\' => ['a\\'],
    '0' => ['0'],
];
$tests = [];
foreach ($table as $line => $words) {
    $tests["'$line' is split"] = static fn (Results $t) => $t->same($words, CommandLine::split((string) $line));
}

return $tests + [
    'a quote that is not closed is an error' => static function (Results $t): void {
        foreach (['"a', "'a", "a 'b\""] as $line) {
            $error = $t->throws(InvocationFailure::class, 'not closed', static fn () => CommandLine::split($line));
            assert($error instanceof InvocationFailure);
            $t->same('Runtime.InvalidCommand', $error->errorType());
        }
    },
    'every form of event' => static function (Results $t): void {
        $t->same(['a', 'b'], CommandLine::ofEvent('a b'));
        $t->same(['a b'], CommandLine::ofEvent(['a b']));
        $t->same(['a', 'b'], CommandLine::ofEvent(['cli' => 'a b']));
        $t->same(['a b'], CommandLine::ofEvent(['argv' => ['a b']]));
        $t->same(['1', '2.5'], CommandLine::ofEvent([1, 2.5]));
        $t->same([], CommandLine::ofEvent([]));
        $t->same([], CommandLine::ofEvent(null));
        $t->same([], CommandLine::ofEvent(['cli' => null]));
    },
    'other events are errors' => static function (Results $t): void {
        foreach ([['x' => 1], 7, true, [['a']], [null], ['argv' => 'a'], ["a\0b"]] as $event) {
            $t->throws(InvocationFailure::class, '', static fn () => CommandLine::ofEvent($event));
        }
    },
    'a line for the shell is left as it is' => static function (Results $t): void {
        $line = 'a "$HOME" | b \'';
        $t->same([$line, $line], [CommandLine::lineOfEvent($line), CommandLine::lineOfEvent(['cli' => $line])]);
        foreach ([['a', 'b'], ['argv' => ['a'], 'cli' => $line], ['cli' => ['a']], null, [], 7] as $event) {
            $t->same(null, CommandLine::lineOfEvent($event));
        }
        $t->throws(InvocationFailure::class, 'NUL byte', static fn () => CommandLine::lineOfEvent("a\0b"));
    },
];
