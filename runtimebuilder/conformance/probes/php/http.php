<?php

declare(strict_types=1);

/* The probe as a web page: the request's body is the command, the response's body the result. */

require_once __DIR__ . '/probe.php';

$command = json_decode(file_get_contents('php://input') ?: 'null', true, 512, JSON_THROW_ON_ERROR);
// A page cannot end the process that serves it, keeps nothing between requests, and what it prints is the response.
$impossible = ['exit', 'print', 'counter'];
if (($command['do'] ?? '') === 'stream') {
    probe_write_pieces($command);

    return;
}
if (in_array($command['do'] ?? '', $impossible, true)) {
    $result = PROBE_UNSUPPORTED;
} elseif (($command['do'] ?? '') === 'request') {
    $result = probe_request();
    foreach ($command['set_cookies'] ?? [] as $cookie) {
        header("Set-Cookie: $cookie", false);
    }
} else {
    $result = probe($command, probe_context($_SERVER['LAMBDA_INVOCATION_CONTEXT'] ?? ''));
}
header('Content-Type: application/json');
probe_print($result);

/** @return array<string, mixed> the request as the page sees it */
function probe_request(): array
{
    $headers = [];
    foreach ($_SERVER as $name => $value) {
        if (strncmp($name, 'HTTP_', 5) === 0) {
            $headers[strtolower(strtr(substr($name, 5), '_', '-'))] = $value;
        }
    }

    return [
        'method' => $_SERVER['REQUEST_METHOD'],
        'path' => rawurldecode((string) strtok($_SERVER['REQUEST_URI'], '?')),
        'query' => $_SERVER['QUERY_STRING'] ?? '',
        'headers' => (object) $headers,
        'cookies' => (object) $_COOKIE,
    ];
}

/**
 * Sends the pieces of a stream as they are made.
 *
 * @param array<string, mixed> $command
 */
function probe_write_pieces(array $command): void
{
    $http = $command['http'] ?? [];
    http_response_code($http['statusCode'] ?? 200);
    header('Content-Type: ' . ($command['content_type'] ?? 'application/octet-stream'));
    foreach ($http['headers'] ?? [] as $name => $value) {
        header("$name: $value");
    }
    foreach ($http['cookies'] ?? [] as $cookie) {
        header("Set-Cookie: $cookie", false);
    }
    while (ob_get_level() > 0) {
        ob_end_flush();
    }
    foreach (probe_pieces($command['steps']) as $piece) {
        echo $piece;
        flush();
    }
}
