<?php

declare(strict_types=1);

/*
 * The application has bref/bref: its runtime client takes over here. BREF_RUNTIME is `function`, `fpm`, `console` or a
 * class with a static method run(); the image's own variant when the function says nothing.
 */

use RuntimeBuilder\Api\ApiFailure;
use RuntimeBuilder\Api\RuntimeApi;
use RuntimeBuilder\ErrorReport;
use RuntimeBuilder\InitFailure;

(static function (): void {
    $root = getenv('LAMBDA_TASK_ROOT') ?: '/var/task';
    $autoload = getenv('BREF_AUTOLOAD_PATH') ?: "$root/vendor/autoload.php";
    $runtime = (string) getenv('BREF_RUNTIME');
    $class = [
        'function' => 'Bref\FunctionRuntime\Main',
        'fpm' => 'Bref\FpmRuntime\Main',
        'console' => 'Bref\ConsoleRuntime\Main',
    ][$runtime] ?? $runtime;
    $problem = null;
    if (!is_file($autoload)) {
        $problem = "there is no $autoload, which loads bref/bref: run `composer install`, or set BREF_AUTOLOAD_PATH";
    } else {
        require_once $autoload;
        if (!class_exists($class) || !method_exists($class, 'run')) {
            $problem = "$autoload knows no class $class with a method run(), which BREF_RUNTIME ($runtime) asks for;"
                . ' require bref/bref, or set RUNTIMEBUILDER_CLIENT=runtimebuilder to run without it';
        }
    }
    if ($problem === null) {
        $class::run();

        return;
    }
    // In an image, or in a layer.
    $client = is_dir('/var/runtime/php') ? '/var/runtime/php' : '/opt/runtime/php';
    require_once "$client/src/Autoloader.php";
    RuntimeBuilder\Autoloader::register("$client/src");
    $report = ErrorReport::of(new InitFailure('BrefNotFound', $problem), 'Runtime');
    $report->log('Init Error');
    try {
        RuntimeApi::fromEnvironment()->initFailed($report);
    } catch (ApiFailure) {
        // There is nobody to tell; the log has it.
    }
    exit(1);
})();
