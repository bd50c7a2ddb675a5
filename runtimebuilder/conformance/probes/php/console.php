<?php

declare(strict_types=1);

/* The probe as a console command: the first argument is the command, what is printed the result. */

require_once __DIR__ . '/probe.php';

$command = json_decode($argv[1] ?? 'null', true, 512, JSON_THROW_ON_ERROR);
// Each command is a process of its own, and what it prints is the result.
$impossible = ['exit', 'print', 'counter'];
$result = in_array($command['do'] ?? '', $impossible, true)
    ? PROBE_UNSUPPORTED
    : probe($command, probe_context((string) getenv('LAMBDA_INVOCATION_CONTEXT')));
probe_print($result);
