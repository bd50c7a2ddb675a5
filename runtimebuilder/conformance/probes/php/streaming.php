<?php

declare(strict_types=1);

/* The function probe for runtimes that stream: `stream` gives a RuntimeBuilder\StreamedResponse, the rest is plain. */

require_once __DIR__ . '/probe.php';

$plain = require __DIR__ . '/function.php';

return static function ($event, $context) use ($plain) {
    if (!is_array($event) || ($event['do'] ?? null) !== 'stream') {
        return $plain($event, $context);
    }
    $pieces = probe_pieces($event['steps']);
    if (isset($event['http'])) {
        $http = $event['http'] + ['statusCode' => 200, 'headers' => [], 'cookies' => []];
        $headers = (array) $http['headers'];

        return RuntimeBuilder\StreamedResponse::http($pieces, $http['statusCode'], $headers, $http['cookies']);
    }

    return isset($event['content_type'])
        ? RuntimeBuilder\StreamedResponse::of($pieces, $event['content_type'])
        : $pieces;
};
