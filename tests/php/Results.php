<?php

declare(strict_types=1);

namespace RuntimeBuilder\Tests;

use Throwable;

/** Runs tests, counts, and says what differed. */
final class Results
{
    private int $passed = 0;
    private int $failed = 0;

    /** @param callable(self): void $test */
    public function run(string $name, callable $test): void
    {
        try {
            $test($this);
            $this->passed++;
        } catch (Throwable $error) {
            $this->failed++;
            $where = basename($error->getFile()) . ':' . $error->getLine();
            echo "FAILED  $name ($where)\n        ", str_replace("\n", "\n        ", $error->getMessage()), "\n";
        }
    }

    public function same(mixed $expected, mixed $actual, string $what = ''): void
    {
        if ($expected !== $actual) {
            throw new Mismatch(
                ($what === '' ? '' : "$what\n") . 'expected ' . self::show($expected) . "\nseen     " . self::show($actual),
            );
        }
    }

    /**
     * @param class-string<Throwable> $class
     * @param callable(): mixed $call
     */
    public function throws(string $class, string $part, callable $call): Throwable
    {
        try {
            $value = $call();
        } catch (Throwable $error) {
            $this->same($class, $error::class, $error->getMessage());
            $this->same(true, str_contains($error->getMessage(), $part), "'$part' in: {$error->getMessage()}");

            return $error;
        }
        throw new Mismatch("expected $class\nseen     " . self::show($value));
    }

    /** Prints the last line; the exit code. No test at all is a failure. */
    public function summary(): int
    {
        echo "{$this->passed} passed, {$this->failed} failed (PHP ", PHP_VERSION, ")\n";

        return $this->failed === 0 && $this->passed > 0 ? 0 : 1;
    }

    private static function show(mixed $value): string
    {
        $text = var_export($value, true);

        return strlen($text) > 2000 ? substr($text, 0, 2000) . ' ...' : $text;
    }
}

final class Mismatch extends \RuntimeException
{
}
