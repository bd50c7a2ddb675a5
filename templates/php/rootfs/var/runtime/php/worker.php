<?php

declare(strict_types=1);

/*
 * The process that handles one event where RUNTIMEBUILDER_STATE is `process`: started by the runtime client, never by
 * people. File descriptor 3 leads to the client.
 */

namespace RuntimeBuilder;

require __DIR__ . '/src/Autoloader.php';

Autoloader::register(__DIR__ . '/src');

exit((static function (): int {
    $stream = fopen('php://fd/3', 'r+b');
    if ($stream === false) {
        fwrite(STDERR, "worker.php is started by the runtime client, with a channel as file descriptor 3\n");

        return 1;
    }
    if (is_dir(Environment::taskRoot())) {
        chdir(Environment::taskRoot());
    }

    return (new State\Worker(new State\Channel($stream), new Handler\FunctionRunner()))->startAndServe();
})());
