<?php

declare(strict_types=1);

/*
 * The Lambda runtime client for PHP.
 *
 *     php main.php function
 *     php main.php fpm /usr/sbin/php-fpm
 *     php main.php console
 *
 * It ends only when something went wrong; Lambda then starts a new process.
 */

namespace RuntimeBuilder;

require __DIR__ . '/src/Autoloader.php';

Autoloader::register(__DIR__ . '/src');

exit(Main::run(array_slice($argv, 1)));
