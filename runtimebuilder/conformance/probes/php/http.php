<?php

declare(strict_types=1);

/* The probe as a web page: the request's body is the command, the response's body the result. */

require_once __DIR__ . '/probe.php';

$command = json_decode((string) file_get_contents('php://input'), true, 512, JSON_THROW_ON_ERROR);
// A page cannot end the process that serves it, keeps nothing between requests, and what it prints is the response.
$impossible = ['exit', 'print', 'counter'];
$result = in_array($command['do'] ?? '', $impossible, true)
    ? PROBE_UNSUPPORTED
    : probe($command, probe_context($_SERVER['LAMBDA_INVOCATION_CONTEXT'] ?? ''));
header('Content-Type: application/json');
probe_print($result);
