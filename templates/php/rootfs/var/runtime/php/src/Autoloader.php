<?php

declare(strict_types=1);

namespace RuntimeBuilder;

/** Loads `RuntimeBuilder\A\B` from `A/B.php`; no Composer, so that it can never clash with the project's own. */
final class Autoloader
{
    private const PREFIX = __NAMESPACE__ . '\\';

    public static function register(string $directory): void
    {
        spl_autoload_register(static function (string $class) use ($directory): void {
            if (!str_starts_with($class, self::PREFIX)) {
                return;
            }
            $file = $directory . '/' . str_replace('\\', '/', substr($class, strlen(self::PREFIX))) . '.php';
            if (is_file($file)) {
                require $file;
            }
        });
    }
}
