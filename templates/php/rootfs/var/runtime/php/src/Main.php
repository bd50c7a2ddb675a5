<?php

declare(strict_types=1);

namespace RuntimeBuilder;

use RuntimeBuilder\Api\ApiFailure;
use RuntimeBuilder\Api\RuntimeApi;
use RuntimeBuilder\Console\ConsoleRunner;
use RuntimeBuilder\Fpm\FpmRunner;
use RuntimeBuilder\Handler\FunctionRunner;
use RuntimeBuilder\State\ForkRunner;
use RuntimeBuilder\State\ProcessRunner;

/** The command line of main.php: which runner. */
final class Main
{
    /** @param list<string> $arguments */
    public static function run(array $arguments): int
    {
        try {
            $api = RuntimeApi::fromEnvironment();
        } catch (ApiFailure $failure) {
            Log::line($failure->getMessage());

            return 1;
        }
        if (is_dir(Environment::taskRoot())) {
            chdir(Environment::taskRoot());
        }
        $variant = $arguments[0] ?? '';
        $make = match ($variant) {
            'function' => self::function(...),
            'fpm' => static fn (): Runner
                => new FpmRunner($arguments[1] ?? 'php-fpm', dirname(__DIR__) . '/php-fpm.conf', $api),
            'console' => static fn (): Runner => new ConsoleRunner(),
            default => null,
        };
        if ($make === null) {
            Log::line("main.php takes function, fpm or console as its first argument, not '$variant'");

            return 1;
        }

        return (new Runtime($api, $make))->run();
    }

    /** @throws InitFailure */
    private static function function(): Runner
    {
        return match (Setting::choice('RUNTIMEBUILDER_STATE', ['shared', 'fork', 'process'], 'shared')) {
            'fork' => new ForkRunner(new FunctionRunner()),
            'process' => new ProcessRunner([PHP_BINARY, dirname(__DIR__) . '/worker.php']),
            default => new FunctionRunner(),
        };
    }
}
