<?php

declare(strict_types=1);

namespace RuntimeBuilder\State;

use RuntimeBuilder\Api\Invocation;
use RuntimeBuilder\BigInteger;
use RuntimeBuilder\Context;
use RuntimeBuilder\ErrorReport;
use RuntimeBuilder\FatalError;
use RuntimeBuilder\InitFailure;
use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\Json;
use RuntimeBuilder\Outcome;
use RuntimeBuilder\Process\ProcessTable;
use RuntimeBuilder\Quietly;
use RuntimeBuilder\Runner;
use RuntimeBuilder\Streaming\Body;

/**
 * Clean state for each event at the price of a fork: this process loads the project's code once and runs none of it
 * afterwards; a copy of it (copy-on-write) handles one event and ends.
 *
 * The copy speaks to this process only, never to the Runtime API: whatever it dies of, the connection is not harmed.
 */
final class ForkRunner implements Runner
{
    /** Seconds between two looks at whether the copy still lives; its result is seen at once. */
    private const LOOK_SECONDS = 0.05;

    private ?int $child = null;
    private ?Channel $channel = null;

    public function __construct(private readonly Runner $runner)
    {
    }

    public function start(): void
    {
        if (!function_exists('pcntl_fork')) {
            throw new InitFailure(
                'InvalidConfiguration',
                'RUNTIMEBUILDER_STATE is fork, and this PHP has no pcntl extension; use process or shared',
            );
        }
        $this->runner->start();
        // What every copy needs is loaded once, here.
        array_map('class_exists', [
            BigInteger::class, Channel::class, Context::class, ErrorReport::class, FatalError::class, Outcome::class,
            Vanishing::class, Worker::class,
        ]);
        // And compiled: the patterns that each event goes through.
        Json::encode(Json::decode('[]'));
        // What is garbage now would be copied in every child that collects it.
        gc_collect_cycles();
        gc_mem_caches();
    }

    public function run(Invocation $invocation): string|Body
    {
        [$this->channel, $theirs] = Channel::pair();
        $this->child = $this->fork($this->channel, $theirs, $invocation);
        $theirs->close();
        $message = $this->message($this->channel);

        return match ($message[0]) {
            Channel::RESULT => $message[1],
            Channel::STREAM => Relay::body($message[1], fn (): array => $this->message($this->channel)),
            default => throw Relay::failure($message[1]),
        };
    }

    /** The copy may still run what the handler registered for its end; the next event waits for that. */
    public function settle(): void
    {
        $this->channel?->close();
        $this->channel = null;
        if ($this->child !== null) {
            while (pcntl_waitpid($this->child, $status) === -1 && pcntl_get_last_error() === PCNTL_EINTR) {
            }
            $this->child = null;
        }
        // As the first process of a container we get the orphans.
        while (pcntl_waitpid(-1, $status, WNOHANG) > 0) {
        }
    }

    public function stop(): void
    {
        if ($this->child !== null) {
            ProcessTable::signal([$this->child], ProcessTable::SIGKILL);
        }
    }

    private function fork(Channel $ours, Channel $theirs, Invocation $invocation): int
    {
        $child = Quietly::call(static fn () => pcntl_fork());
        if ($child === -1) {
            throw new InvocationFailure(
                'Runtime.ForkFailed',
                'no process could be made for this event: ' . pcntl_strerror(pcntl_get_last_error()),
            );
        }
        if ($child !== 0) {
            return $child;
        }
        pcntl_signal(SIGTERM, SIG_DFL);
        $ours->close();
        // Else every copy would go on with the same "random" numbers.
        mt_srand(random_int(PHP_INT_MIN, PHP_INT_MAX));
        (new Worker($theirs, $this->runner, true))->serve($invocation);
        exit(0);
    }

    /** @return array{string, string} */
    private function message(?Channel $channel): array
    {
        assert($channel !== null);
        while (!$channel->isReadable(self::LOOK_SECONDS)) {
            if ($this->hasEnded($code, $signal) && !$channel->isReadable(0)) {
                throw ExitStatus::failure($code, $signal);
            }
        }
        $message = $channel->receive();
        if ($message === null) {
            $this->hasEnded($code, $signal, 0);
            throw ExitStatus::failure($code, $signal);
        }

        return $message;
    }

    private function hasEnded(?int &$code, ?int &$signal, int $flags = WNOHANG): bool
    {
        if ($this->child === null || pcntl_waitpid($this->child, $status, $flags) !== $this->child) {
            return $this->child === null;
        }
        $this->child = null;
        $code = pcntl_wifexited($status) ? pcntl_wexitstatus($status) : null;
        $signal = pcntl_wifsignaled($status) ? pcntl_wtermsig($status) : null;

        return true;
    }
}
