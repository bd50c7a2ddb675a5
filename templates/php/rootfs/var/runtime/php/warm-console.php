<?php

declare(strict_types=1);

/*
 * The warm parent of console commands (RUNTIMEBUILDER_STATE=fork): started by the runtime client, never by people.
 * It has loaded the application's autoloader; for each command it makes a copy of itself, which goes on below.
 */

namespace RuntimeBuilder;

require __DIR__ . '/src/Autoloader.php';

Autoloader::register(__DIR__ . '/src');

$argv = Console\WarmParent::run();
$argc = count($argv);
$_SERVER['argv'] = $argv;
$_SERVER['argc'] = $argc;
$_SERVER['SCRIPT_FILENAME'] = $_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = $_SERVER['PATH_TRANSLATED'] = $argv[0];

// From here on this file is the command: in the global scope, as if PHP had been started with it.
require $argv[0];

// It has not called exit(), so its code is 0.
register_shutdown_function(State\Vanishing::after(...));
