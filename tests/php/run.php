<?php

declare(strict_types=1);

/*
 * Tests of the PHP runtime client's parts that need no Lambda and no PHP-FPM.
 *
 *     php tests/php/run.php [FOLDER]
 *
 * FOLDER holds the client's `src` (default: the one in templates/; in an image: /var/runtime/php). Plain PHP, so that
 * the tests run with every PHP that the client runs with, also inside an image. Exit code 1 when a test failed.
 */

use RuntimeBuilder\Tests\Results;

$client = $argv[1] ?? dirname(__DIR__, 2) . '/templates/php/rootfs/var/runtime/php';
if (!is_file("$client/src/Autoloader.php")) {
    fwrite(STDERR, "$client holds no src/Autoloader.php: name the folder of the runtime client\n");
    exit(2);
}
require "$client/src/Autoloader.php";
require __DIR__ . '/Results.php';
RuntimeBuilder\Autoloader::register("$client/src");

// A warning is a defect too.
ini_set('memory_limit', '256M');
error_reporting(E_ALL);
set_error_handler(static function (int $level, string $message, string $file, int $line): bool {
    throw new ErrorException($message, 0, $level, $file, $line);
});

$results = new Results();
foreach (glob(__DIR__ . '/cases/*.php') ?: [] as $file) {
    $tests = require $file;
    foreach ($tests as $name => $test) {
        $results->run(basename($file, '.php') . ': ' . $name, $test);
    }
}
exit($results->summary());
