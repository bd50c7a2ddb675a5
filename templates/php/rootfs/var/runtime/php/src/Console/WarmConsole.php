<?php

declare(strict_types=1);

namespace RuntimeBuilder\Console;

use RuntimeBuilder\ErrorReport;
use RuntimeBuilder\InitFailure;
use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\Log;
use RuntimeBuilder\Net\Deadline;
use RuntimeBuilder\Process\ProcessTable;
use RuntimeBuilder\Quietly;
use RuntimeBuilder\ReportedFailure;
use RuntimeBuilder\State\Channel;

/** Commands as copies of a warm process: what it takes to start PHP and to load the autoloader is paid once. */
final class WarmConsole
{
    /** Seconds between two looks at whether the warm process still lives. */
    private const LOOK_SECONDS = 0.05;

    /** @var resource|null */
    private $process = null;

    /** @var resource|null what the warm process and its copies print */
    private $pipe = null;
    private ?Channel $channel = null;
    private string $output = '';

    /** @param list<string> $command starts the warm process */
    public function __construct(private readonly array $command)
    {
    }

    /** @throws InitFailure|ReportedFailure|InvocationFailure */
    public function start(): void
    {
        if (!function_exists('pcntl_fork')) {
            throw new InitFailure(
                'InvalidConfiguration',
                'RUNTIMEBUILDER_STATE is fork, and this PHP has no pcntl extension; use process',
            );
        }
        $pipes = [];
        // A socket of proc_open's own making: the process does not inherit our end of it.
        $files = [0 => ['file', '/dev/null', 'r'], 1 => ['pipe', 'w'], 2 => ['redirect', 1], 3 => ['socket']];
        $process = Quietly::call(function () use ($files, &$pipes) {
            return proc_open($this->command, $files, $pipes);
        });
        if ($process === false) {
            throw new InvocationFailure('Runtime.ForkFailed', 'PHP could not be started: ' . Quietly::lastWarning());
        }
        $this->process = $process;
        $this->channel = new Channel($pipes[3]);
        $this->pipe = $pipes[1];
        stream_set_blocking($this->pipe, false);
        $message = $this->message(Deadline::never());
        if ($message === null || $message[0] !== Channel::READY) {
            $report = $message === null ? null : unserialize($message[1], ['allowed_classes' => [ErrorReport::class]]);
            $this->end();
            throw $report instanceof ErrorReport
                ? new ReportedFailure($report)
                : new InitFailure('WarmStartFailed', 'PHP ended while it loaded the autoloader; the log may say why');
        }
    }

    /**
     * @param list<string> $arguments
     * @param array<string, string> $environment variables of the command
     */
    public function run(string $script, array $arguments, array $environment, Deadline $deadline): CommandResult
    {
        if ($this->process === null || !proc_get_status($this->process)['running']) {
            $this->end();
            $this->start();
        }
        $this->output = '';
        $this->read(); // what something left in the background has printed since
        $this->output = '';
        $trace = getenv('_X_AMZN_TRACE_ID');
        $command = [
            'arguments' => [$script, ...$arguments],
            'environment' => $environment + ['_X_AMZN_TRACE_ID' => $trace === false ? null : $trace],
        ];
        if ($this->channel === null || !$this->channel->send(Channel::EVENT, serialize($command))) {
            return $this->died(false);
        }
        $started = $this->message(Deadline::never());
        if ($started === null) {
            return $this->died(false);
        }
        if ($started[1] === '-1') {
            return new CommandResult(null, null, false, 'no process could be made for the command');
        }
        $timedOut = false;
        $message = $this->message($deadline);
        if ($message === null && $deadline->hasPassed()) {
            $timedOut = true;
            ProcessTable::end((int) $started[1]);
            $message = $this->message(Deadline::in(1.0));
        }
        if ($message === null) {
            return $this->died($timedOut);
        }
        $this->read();
        /** @var array{int|null, int|null} $status */
        $status = unserialize($message[1], ['allowed_classes' => false]);

        return new CommandResult($status[0], $status[1], $timedOut, $this->output);
    }

    /** Starts the warm process again if it is gone. */
    public function settle(): void
    {
        if ($this->process !== null && proc_get_status($this->process)['running']) {
            return;
        }
        $this->end();
        try {
            $this->start();
        } catch (ReportedFailure | InitFailure | InvocationFailure) {
            // The next command tries again, and says why if it fails.
        }
    }

    public function stop(): void
    {
        if ($this->process !== null) {
            $id = proc_get_status($this->process)['pid'];
            ProcessTable::signal([...ProcessTable::descendants($id), $id], ProcessTable::SIGKILL);
        }
    }

    /**
     * The warm process's next message, while output goes to the log; null when it has ended or the deadline passed.
     *
     * @return array{string, string}|null
     */
    private function message(Deadline $deadline): ?array
    {
        for (;;) {
            $read = array_filter(['channel' => $this->channel?->stream(), 'pipe' => $this->pipe]);
            $none = null;
            $micro = (int) (min(self::LOOK_SECONDS, $deadline->remaining() ?? self::LOOK_SECONDS) * 1e6);
            $ready = $read === [] ? 0 : Quietly::call(static function () use (&$read, &$none, $micro) {
                return stream_select($read, $none, $none, 0, $micro);
            });
            if (is_int($ready) && isset($read['pipe'])) {
                $this->readOnce();
            }
            if (is_int($ready) && isset($read['channel'])) {
                return $this->channel?->receive();
            }
            $isGone = $ready === 0 && ($this->process === null || !proc_get_status($this->process)['running']);
            if ($isGone || $deadline->hasPassed()) {
                return null;
            }
        }
    }

    /** All that has been printed by now. */
    private function read(): void
    {
        while ($this->readOnce()) {
        }
    }

    private function readOnce(): bool
    {
        $pipe = $this->pipe;
        $bytes = $pipe === null ? '' : Quietly::call(static fn () => fread($pipe, 65536));
        if ($bytes === false || $bytes === '') {
            if ($pipe !== null && feof($pipe)) {
                fclose($pipe);
                $this->pipe = null; // all that could print has ended
            }

            return false;
        }
        Log::output($bytes);
        $this->output .= $bytes;
        if (strlen($this->output) > 2 * Command::OUTPUT_LIMIT) {
            $this->output = substr($this->output, -Command::OUTPUT_LIMIT);
        }

        return true;
    }

    private function died(bool $timedOut): CommandResult
    {
        $this->read();
        $output = $this->output;
        $this->end();

        return new CommandResult(null, ProcessTable::SIGKILL, $timedOut, $output);
    }

    private function end(): void
    {
        $this->stop();
        $this->channel?->close();
        if ($this->pipe !== null) {
            fclose($this->pipe);
        }
        if ($this->process !== null) {
            proc_close($this->process);
        }
        $this->channel = null;
        $this->pipe = null;
        $this->process = null;
    }
}
