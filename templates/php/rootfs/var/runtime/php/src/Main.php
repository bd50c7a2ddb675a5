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
        if (!in_array($variant, ['function', 'fpm', 'console'], true)) {
            Log::line("main.php takes function, fpm or console as its first argument, not '$variant'", Log::ERROR);

            return 1;
        }

        return (new Runtime($api, static fn (): Runner => self::runner($variant, $arguments[1] ?? '', $api)))->run();
    }

    /** @throws InitFailure */
    private static function runner(string $variant, string $fpm, RuntimeApi $api): Runner
    {
        // The bootstrap has looked at it already: Bref's client is not wanted, or the word is none.
        Setting::choice('RUNTIMEBUILDER_CLIENT', ['auto', 'bref', 'runtimebuilder'], 'auto');
        // One image of Bref's serves all three; so does ours, as far as it can.
        $variant = Setting::choice('BREF_RUNTIME', ['function', 'fpm', 'console'], $variant);
        if ($variant === 'fpm' && $fpm === '') {
            throw new InitFailure(
                'InvalidConfiguration',
                'BREF_RUNTIME is fpm, and this image has no PHP-FPM: use the one whose name ends with -fpm',
            );
        }

        return match ($variant) {
            'fpm' => new FpmRunner($fpm, dirname(__DIR__) . '/php-fpm.conf', $api),
            'console' => new ConsoleRunner(),
            default => self::function(),
        };
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
