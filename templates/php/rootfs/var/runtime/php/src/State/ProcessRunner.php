<?php

declare(strict_types=1);

namespace RuntimeBuilder\State;

use RuntimeBuilder\Api\Invocation;
use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\Process\ProcessTable;
use RuntimeBuilder\Quietly;
use RuntimeBuilder\Runner;
use RuntimeBuilder\Streaming\Body;

/**
 * A new PHP process for each event, started ahead: it loads the project's code while no event is there.
 *
 * This process never loads the project's code. The first worker decides whether the function can start.
 */
final class ProcessRunner implements Runner
{
    private const LOOK_SECONDS = 0.05;

    /** @var resource|null */
    private $worker = null;
    private ?Channel $channel = null;
    private bool $ready = false;
    private bool $used = false;

    /** @param list<string> $command starts a worker, which finds its channel as file descriptor 3 */
    public function __construct(private readonly array $command)
    {
    }

    public function start(): void
    {
        $this->launch();
        $this->awaitReady();
    }

    public function run(Invocation $invocation): string|Body
    {
        if ($this->channel === null || !$this->isRunning()) {
            $this->end();
            $this->launch();
        }
        $this->awaitReady();
        $this->used = true;
        assert($this->channel !== null);
        if (!$this->channel->send(Channel::EVENT, serialize($invocation))) {
            throw $this->ended();
        }
        $message = $this->message();

        return match ($message[0]) {
            Channel::RESULT => $message[1],
            Channel::STREAM => Relay::body($message[1], $this->message(...)),
            default => throw Relay::failure($message[1]),
        };
    }

    /** Waits for what the handler registered for the end of its process, then starts the one for the next event. */
    public function settle(): void
    {
        if ($this->used) {
            $this->end();
        }
        if (function_exists('pcntl_waitpid')) {
            while (pcntl_waitpid(-1, $status, WNOHANG) > 0) {
            }
        }
        if ($this->worker === null) {
            try {
                $this->launch();
            } catch (InvocationFailure) {
                // The next event tries again, and says why if it fails.
            }
        }
    }

    public function stop(): void
    {
        if ($this->worker !== null) {
            ProcessTable::signal([proc_get_status($this->worker)['pid']], ProcessTable::SIGKILL);
        }
    }

    /** @throws InvocationFailure */
    private function launch(): void
    {
        $this->ready = false;
        $this->used = false;
        $ends = [];
        // A socket of proc_open's own making: the process does not inherit our end of it.
        $worker = Quietly::call(function () use (&$ends) {
            return proc_open($this->command, [0 => ['file', '/dev/null', 'r'], 3 => ['socket']], $ends);
        });
        if ($worker === false) {
            throw new InvocationFailure(
                'Runtime.ForkFailed',
                'no process could be made for this event: ' . Quietly::lastWarning(),
            );
        }
        $this->worker = $worker;
        $this->channel = new Channel($ends[3]);
    }

    private function awaitReady(): void
    {
        if ($this->ready) {
            return;
        }
        $message = $this->message();
        if ($message[0] !== Channel::READY) {
            $this->used = true;
            throw Relay::failure($message[1]);
        }
        $this->ready = true;
    }

    /** @return array{string, string} */
    private function message(): array
    {
        assert($this->channel !== null);
        while (!$this->channel->isReadable(self::LOOK_SECONDS)) {
            if (!$this->isRunning() && !$this->channel->isReadable(0)) {
                throw $this->ended();
            }
        }

        return $this->channel->receive() ?? throw $this->ended();
    }

    private function isRunning(): bool
    {
        return $this->worker !== null && $this->status($this->worker)['running'];
    }

    /** It gives no more messages: waits for its end and says how that was. */
    private function ended(): InvocationFailure
    {
        $this->used = true;
        if ($this->worker === null) {
            return ExitStatus::failure(null, null);
        }
        for ($status = $this->status($this->worker); $status['running']; $status = $this->status($this->worker)) {
            usleep(1_000);
        }

        return $status['signaled']
            ? ExitStatus::failure(null, $status['termsig'])
            : ExitStatus::failure($status['exitcode'], null);
    }

    /** @var array{running: bool, signaled: bool, exitcode: int, termsig: int}|null */
    private ?array $last = null;

    /**
     * PHP before 8.3 tells the exit code only once.
     *
     * @param resource $worker
     * @return array{running: bool, signaled: bool, exitcode: int, termsig: int}
     */
    private function status($worker): array
    {
        if ($this->last === null || $this->last['running']) {
            $this->last = proc_get_status($worker);
        }

        return $this->last;
    }

    private function end(): void
    {
        $this->channel?->close();
        if ($this->worker !== null) {
            proc_close($this->worker); // waits
        }
        $this->worker = null;
        $this->channel = null;
        $this->last = null;
    }
}
