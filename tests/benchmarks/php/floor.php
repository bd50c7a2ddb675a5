<?php

declare(strict_types=1);

/*
 * A floor: the least that a client in PHP can do, without any care for errors. `function`: calls the handler;
 * `fpm PROGRAM CONFIGURATION`: sends the event to PHP-FPM; `console`: starts a process for each event.
 */

$socket = stream_socket_client('tcp://' . getenv('AWS_LAMBDA_RUNTIME_API'));
$context = stream_context_set_option($socket, 'socket', 'tcp_nodelay', true);
$read = static function () use ($socket): array {
    $head = '';
    while (($line = fgets($socket)) !== "\r\n") {
        $head .= $line;
    }
    preg_match('/^content-length: (\d+)/mi', $head, $length);
    preg_match('/^lambda-runtime-aws-request-id: (\S+)/mi', $head, $id);

    return [$id[1] ?? '', (string) stream_get_contents($socket, (int) $length[1])];
};
$loop = static function (callable $serve) use ($socket, $read): void {
    for (;;) {
        fwrite($socket, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n");
        [$id, $event] = $read();
        $result = $serve($event);
        $length = strlen($result);
        $head = "POST /2018-06-01/runtime/invocation/$id/response HTTP/1.1\r\nHost: x\r\n";
        fwrite($socket, "{$head}Content-Length: $length\r\n\r\n$result");
        $read();
    }
};

if ($argv[1] === 'function') {
    $handler = require $argv[2];
    $loop(static fn (string $event): string => json_encode($handler(json_decode($event, true))));
}
if ($argv[1] === 'fork') {
    $handler = require $argv[2];
    $loop(static function (string $event) use ($handler): string {
        [$ours, $theirs] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
        $child = pcntl_fork();
        if ($child === 0) {
            $result = json_encode($handler(json_decode($event, true)));
            fwrite($theirs, pack('N', strlen($result)) . $result);
            posix_kill(getmypid(), SIGKILL);
        }
        $result = stream_get_contents($ours, unpack('N', stream_get_contents($ours, 4))[1]);
        pcntl_waitpid($child, $status);

        return $result;
    });
}
if ($argv[1] === 'console-fork') {
    is_file(dirname($argv[2]) . '/vendor/autoload.php') && require dirname($argv[2]) . '/vendor/autoload.php';
    $loop(static function () use ($argv): string {
        [$ours, $theirs] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
        $child = pcntl_fork();
        if ($child === 0) {
            ob_start();
            require $argv[2];
            fwrite($theirs, ob_get_clean());
            posix_kill(getmypid(), SIGKILL);
        }
        fclose($theirs);
        $output = stream_get_contents($ours);
        pcntl_waitpid($child, $status);

        return json_encode(['exitCode' => 0, 'output' => $output]);
    });
}
if ($argv[1] === 'console') {
    $loop(static function () use ($argv): string {
        $process = proc_open([PHP_BINARY, $argv[2], '--version'], [1 => ['pipe', 'w'], 2 => ['redirect', 1]], $pipes);
        $output = stream_get_contents($pipes[1]);
        fclose($pipes[1]);

        return json_encode(['exitCode' => proc_close($process), 'output' => $output]);
    });
}

@mkdir('/tmp/.runtimebuilder', 0700);
proc_open([$argv[2], '--nodaemonize', '--force-stderr', '--fpm-config', $argv[3], '--allow-to-run-as-root'], [], $pipes);
while (!($fpm = @stream_socket_client('unix:///tmp/.runtimebuilder/php-fpm.sock'))) {
    usleep(1_000);
}
$pair = static fn (string $name, string $value): string => (strlen($value) < 128
    ? chr(strlen($name)) . chr(strlen($value))
    : chr(strlen($name)) . pack('N', strlen($value) | 0x80000000)) . $name . $value;
$loop(static function (string $event) use ($fpm, $argv, $pair): string {
    $event = json_decode($event, true);
    $http = $event['requestContext']['http'];
    $body = $event['isBase64Encoded'] ? base64_decode($event['body']) : (string) ($event['body'] ?? '');
    $params = $pair('SCRIPT_FILENAME', $argv[4]) . $pair('REQUEST_METHOD', $http['method'])
        . $pair('REQUEST_URI', $event['rawPath'] . '?' . $event['rawQueryString'])
        . $pair('QUERY_STRING', $event['rawQueryString']) . $pair('CONTENT_LENGTH', (string) strlen($body))
        . $pair('CONTENT_TYPE', $event['headers']['content-type'] ?? '');
    foreach ($event['headers'] as $name => $value) {
        $params .= $pair('HTTP_' . strtoupper(strtr($name, '-', '_')), $value);
    }
    $request = "\1\1\0\1\0\x08\0\0\0\1\1\0\0\0\0\0\1\4\0\1" . pack('n', strlen($params)) . "\0\0$params\1\4\0\1\0\0\0\0";
    foreach ($body === '' ? [] : str_split($body, 65528) as $piece) {
        $request .= "\1\5\0\1" . pack('n', strlen($piece)) . "\0\0$piece";
    }
    fwrite($fpm, "$request\1\5\0\1\0\0\0\0");
    $output = '';
    do {
        $head = unpack('Cversion/Ctype/nid/nlength/Cpadding', stream_get_contents($fpm, 8));
        $content = stream_get_contents($fpm, $head['length'] + $head['padding']);
        $output .= $head['type'] === 6 ? substr($content, 0, $head['length']) : '';
    } while ($head['type'] !== 3);
    [$fields, $body] = explode("\r\n\r\n", $output, 2);
    $headers = [];
    foreach (explode("\r\n", $fields) as $field) {
        [$name, $value] = explode(': ', $field);
        $headers[$name] = $value;
    }

    return json_encode(['statusCode' => 200, 'headers' => $headers, 'body' => $body]);
});
