<?php

declare(strict_types=1);

/*
 * The PHP probe, common to its three forms: obeys commands {"do": ...}; whatever is not a command comes back as it
 * is. It is installed into the images of other people: PHP 7.4 and later, core extensions only.
 */

class ProbeError extends Exception
{
}

/** The answer to a command that this form cannot carry out. */
const PROBE_UNSUPPORTED = ['unsupported' => true];

/**
 * @param mixed $command
 * @param array<string, mixed> $context request_id, deadline_ms, function_arn, ...
 * @return mixed the result
 */
function probe($command, array $context)
{
    if (!is_array($command) || !isset($command['do'])) {
        return $command;
    }
    switch ($command['do']) {
        case 'echo':
            return $command['value'] ?? null;
        case 'context':
            usleep((int) (($command['seconds'] ?? 0) * 1000000));
            $trace = getenv('_X_AMZN_TRACE_ID');

            return $context + array_intersect_key($command, ['value' => 0]) + [
                'remaining_ms' => $context['deadline_ms'] - (int) (microtime(true) * 1000),
                'trace_id' => $trace === false ? null : $trace,
                'pid' => getmypid(),
            ];
        case 'raise':
            $message = isset($command['message_hex'])
                ? hex2bin($command['message_hex'])
                : str_repeat($command['message'] ?? '', $command['times'] ?? 1);

            $cause = isset($command['cause']) ? new RuntimeException($command['cause']) : null;

            throw probe_error($command['type'] ?? 'ProbeError', $message, $cause);
        case 'raise-odd':
            throw $command['what'] === 'text' ? new Error('thrown text') : new Error();
        case 'recurse':
            return probe_recurse(0);
        case 'exit':
            exit($command['code'] ?? 0);
        case 'kill':
            return probe_kill($command['signal']);
        case 'hang':
        case 'sleep':
            usleep((int) ($command['seconds'] * 1000000));

            return null;
        case 'allocate':
            return strlen(str_repeat(random_bytes(1024), 1024 * $command['mb']));
        case 'env':
            $all = getenv();

            return (object) (isset($command['names']) ? array_intersect_key($all, array_flip($command['names'])) : $all);
        case 'child-env':
            return (object) probe_child_env($command['names'] ?? null);
        case 'child-allocate':
            // dd has a buffer for a whole block. (busybox's tail, say, takes minutes for a line of that length.)
            $dd = 'dd if=/dev/zero of=/dev/null bs="$1" count=1 2> /dev/null';

            return probe_shell($dd, (string) ($command['mb'] << 20))[1];
        case 'spawn':
            $ended = 0;
            for ($child = 0; $child < $command['count']; $child++) {
                $ended += (int) (probe_shell('exit 3')[1] === 3);
            }

            return $ended;
        case 'daemon':
            return (int) probe_shell('sleep "$1" > /dev/null 2>&1 & echo $!', (string) $command['seconds'])[0];
        case 'background':
            $later = '{ sleep "$1"; printf done > "$2"; } > /dev/null 2>&1 &';
            probe_shell($later, (string) $command['seconds'], $command['path']);

            return null;
        case 'clock':
            return ['utc_offset' => (int) date('Z')];
        case 'cwd':
            return getcwd();
        case 'whoami':
            $home = getenv('HOME');

            return ['uid' => probe_id('Uid'), 'gid' => probe_id('Gid'), 'home' => $home === false ? null : $home];
        case 'write':
            $text = str_repeat($command['text'], $command['times'] ?? 1);
            $written = @file_put_contents($command['path'], $text);

            return $written === strlen($text)
                ? ['ok' => true]
                : ['ok' => false, 'error' => error_get_last()['message'] ?? 'not everything was written'];
        case 'read':
            $text = is_readable($command['path']) ? file_get_contents($command['path']) : false;

            return $text === false ? null : $text;
        case 'print':
            echo $command['stdout'] ?? '';
            file_put_contents('php://stderr', $command['stderr'] ?? '');

            return null;
        case 'size':
            return str_repeat('x', $command['bytes']);
        case 'bytes':
            return "\xff\xfe\x00\x80";
        case 'nothing':
            return null;
        case 'counter':
            static $count = 0;

            return ++$count;
    }

    return PROBE_UNSUPPORTED;
}

/** An exception whose class has the wanted name, if PHP can have such a class. */
function probe_error(string $type, string $message, ?Throwable $cause = null): Throwable
{
    if (!class_exists($type) && preg_match('/^[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*$/D', $type) === 1) {
        eval("class $type extends ProbeError {}");
    }
    $class = is_a($type, Throwable::class, true) ? $type : 'ProbeError';

    return new $class($message, 0, $cause);
}

/** Calls itself without end. */
function probe_recurse(int $depth): array
{
    return [probe_recurse($depth + 1)];
}

/**
 * Runs a line of shell with arguments `$1`, `$2`, ...
 *
 * @return array{string, int} what it wrote, and its exit status, 128 + number for a signal
 */
function probe_shell(string $line, string ...$arguments): array
{
    $process = proc_open(['/bin/sh', '-c', $line, 'sh', ...$arguments], [1 => ['pipe', 'w']], $pipes);
    $output = (string) stream_get_contents($pipes[1]);
    fclose($pipes[1]);

    return [$output, proc_close($process)];
}

/**
 * @param list<string>|null $names
 * @return array<string, string> what a child process finds in its environment
 */
function probe_child_env(?array $names): array
{
    $seen = [];
    foreach (explode("\0", rtrim(probe_shell('cat /proc/self/environ')[0], "\0")) as $pair) {
        [$name, $value] = explode('=', $pair, 2) + [1 => ''];
        if ($names === null || in_array($name, $names, true)) {
            $seen[$name] = $value;
        }
    }

    return $seen;
}

/** Kills the process that runs this. */
function probe_kill(string $signal): void
{
    if ($signal === 'SIGSEGV') {
        // The first process of a container does not die of a signal that it sends to itself, but of a real fault:
        // this array is freed level by level, deeper than the stack is.
        $deep = [];
        for ($level = 0; $level < 300000; $level++) {
            $deep = [$deep];
        }
        $deep = null;
    }
    $name = substr($signal, 3);
    proc_close(proc_open(['/bin/sh', '-c', 'kill -s "$0" "$1"', $name, (string) getmypid()], [], $pipes));
    sleep(1);
}

/** A numeric id of this process (real, effective, ... are the same here). */
function probe_id(string $which): int
{
    preg_match("/^$which:\s+(\d+)/m", (string) file_get_contents('/proc/self/status'), $match);

    return (int) ($match[1] ?? -1);
}

/** @return array<string, mixed> the context of a form that gets it as JSON text */
function probe_context(string $json): array
{
    $context = json_decode($json, true);

    return [
        'request_id' => $context['awsRequestId'] ?? null,
        'deadline_ms' => $context['deadlineMs'] ?? 0,
        'function_arn' => $context['invokedFunctionArn'] ?? null,
        'client_context' => $context['clientContext'] ?? null,
        'cognito_identity' => $context['cognitoIdentity'] ?? null,
        'tenant_id' => $context['tenantId'] ?? null,
    ];
}

/**
 * The result as text, for the forms that print it; bytes that are not UTF-8 stay as they are.
 *
 * @param mixed $result
 */
function probe_print($result): void
{
    if (is_string($result) && preg_match('//u', $result) !== 1) {
        echo $result;

        return;
    }
    $flags = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION | JSON_THROW_ON_ERROR;
    echo json_encode($result, $flags, 10000);
}

/**
 * The steps of a `stream` command, each taken when the runtime asks for it.
 *
 * @param list<array<string, mixed>> $steps
 * @return Generator<int, string>
 */
function probe_pieces(array $steps): Generator
{
    foreach ($steps as $step) {
        if (isset($step['pause'])) {
            usleep((int) ($step['pause'] * 1000000));
        } elseif (isset($step['raise'])) {
            throw new ProbeError($step['raise']);
        } else {
            for ($time = 0; $time < ($step['times'] ?? 1); $time++) {
                yield isset($step['bytes']) ? str_repeat('x', $step['bytes'])
                    : (isset($step['hex']) ? (string) hex2bin($step['hex']) : $step['text']);
            }
        }
    }
}
