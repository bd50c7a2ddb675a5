<?php

declare(strict_types=1);

namespace RuntimeBuilder\Console;

use RuntimeBuilder\Environment;
use RuntimeBuilder\Log;
use RuntimeBuilder\Net\Deadline;
use RuntimeBuilder\Process\ProcessTable;
use RuntimeBuilder\Quietly;

/** One run of a program: output goes to the log as it comes, its end is kept for the answer. */
final class Command
{
    /** Bytes of output that are kept. */
    public const OUTPUT_LIMIT = 5 * 1024 * 1024;

    private const DRAIN_SECONDS = 0.2;
    private const POLL_SECONDS = 0.02;
    private const LONGEST_PAUSE = 5_000; // microseconds

    private string $output = '';

    /** @param list<string> $command program and arguments */
    public function __construct(private readonly array $command)
    {
    }

    /**
     * @param array<string, string> $environment variables of the command beside those of this process
     */
    public function run(array $environment, Deadline $deadline): CommandResult
    {
        $pipes = [];
        // Inherited, not handed over: proc_open leaves out the empty ones of an array.
        foreach ($environment as $name => $value) {
            Environment::set($name, $value);
        }
        $process = proc_open(
            $this->command,
            [0 => ['file', '/dev/null', 'r'], 1 => ['pipe', 'w'], 2 => ['redirect', 1]],
            $pipes,
        );
        foreach (array_keys($environment) as $name) {
            Environment::set($name, null);
        }
        if ($process === false) {
            return new CommandResult(null, null, false, "{$this->command[0]} could not be started");
        }
        stream_set_blocking($pipes[1], false);
        $open = true;
        $pause = 100; // microseconds
        $timedOut = false;
        $status = proc_get_status($process);
        $drain = $status['running'] ? null : Deadline::in(self::DRAIN_SECONDS);
        while ($status['running'] || ($open && $drain !== null && !$drain->hasPassed())) {
            $open = $open && $this->read($pipes[1]);
            if (!$open) {
                // It has closed its output: mostly it ends at that moment. One that goes on is looked at less and less.
                usleep($pause);
                $pause = min(self::LONGEST_PAUSE, 2 * $pause);
            }
            if ($status['running']) {
                // Asked until it has ended and not again: PHP before 8.3 tells the exit code only once.
                $status = proc_get_status($process);
            }
            if (!$status['running']) {
                // What it left in the background may hold the pipe open; do not wait for that.
                $drain ??= Deadline::in(self::DRAIN_SECONDS);
            } elseif (!$timedOut && $deadline->hasPassed()) {
                $timedOut = true;
                ProcessTable::end($status['pid']);
            }
        }
        fclose($pipes[1]);
        proc_close($process);

        return new CommandResult(
            $status['signaled'] ? null : $status['exitcode'],
            $status['signaled'] ? $status['termsig'] : null,
            $timedOut,
            $this->output,
        );
    }

    /**
     * Waits a moment for output; false at its end.
     *
     * @param resource $pipe
     */
    private function read($pipe): bool
    {
        $read = [$pipe];
        $none = null;
        $micro = (int) (self::POLL_SECONDS * 1e6);
        $ready = Quietly::call(static function () use (&$read, &$none, $micro) {
            return stream_select($read, $none, $none, 0, $micro);
        });
        if ($ready !== 1) {
            return true;
        }
        $bytes = Quietly::call(static fn () => fread($pipe, 65536));
        if ($bytes === false || $bytes === '') {
            return !feof($pipe);
        }
        Log::output($bytes);
        $this->output .= $bytes;
        if (strlen($this->output) > 2 * self::OUTPUT_LIMIT) {
            $this->output = substr($this->output, -self::OUTPUT_LIMIT);
        }

        return true;
    }
}
