<?php

declare(strict_types=1);

namespace RuntimeBuilder;

use RuntimeBuilder\Api\ApiFailure;
use RuntimeBuilder\Api\RuntimeApi;
use RuntimeBuilder\Console\ConsoleRunner;
use RuntimeBuilder\Fpm\FpmRunner;
use RuntimeBuilder\Handler\FunctionRunner;

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
        $runner = match ($variant) {
            'function' => new FunctionRunner(),
            'fpm' => new FpmRunner($arguments[1] ?? 'php-fpm', dirname(__DIR__) . '/php-fpm.conf', $api),
            'console' => new ConsoleRunner(),
            default => null,
        };
        if ($runner === null) {
            Log::line("main.php takes function, fpm or console as its first argument, not '$variant'");

            return 1;
        }

        return (new Runtime($api, $runner))->run();
    }
}
