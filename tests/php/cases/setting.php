<?php

declare(strict_types=1);

use RuntimeBuilder\InitFailure;
use RuntimeBuilder\Setting;
use RuntimeBuilder\Tests\Results;

$with = static function (?string $value, callable $read): mixed {
    putenv($value === null ? 'RUNTIMEBUILDER_X' : "RUNTIMEBUILDER_X=$value");
    try {
        return $read();
    } finally {
        putenv('RUNTIMEBUILDER_X');
    }
};
$choice = static fn (): string => Setting::choice('RUNTIMEBUILDER_X', ['shared', 'fork'], 'shared');
$flag = static fn (): bool => Setting::flag('RUNTIMEBUILDER_X');

return [
    'what is not set or empty is the default' => static function (Results $t) use ($with, $choice, $flag): void {
        $t->same(['shared', 'shared'], [$with(null, $choice), $with(' ', $choice)]);
        $t->same([false, false], [$with(null, $flag), $with('', $flag)]);
    },
    'case and white space do not count' => static function (Results $t) use ($with, $choice, $flag): void {
        $t->same('fork', $with(' Fork ', $choice));
        $t->same([true, true, false], [$with('Yes', $flag), $with(' 1', $flag), $with('OFF', $flag)]);
    },
    'an unknown choice stops the start' => static fn (Results $t) => $t->throws(
        InitFailure::class,
        "RUNTIMEBUILDER_X is 'forks'; it takes one of: shared, fork",
        static fn () => $with('forks', $choice),
    ),
    'an unknown flag stops the start' => static fn (Results $t) => $t->throws(
        InitFailure::class,
        "RUNTIMEBUILDER_X is '2'; it takes one of: on, off",
        static fn () => $with('2', $flag),
    ),
];
