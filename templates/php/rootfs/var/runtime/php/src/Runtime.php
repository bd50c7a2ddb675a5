<?php

declare(strict_types=1);

namespace RuntimeBuilder;

use Closure;
use RuntimeBuilder\Api\ApiFailure;
use RuntimeBuilder\Api\Invocation;
use RuntimeBuilder\Api\RuntimeApi;
use RuntimeBuilder\Streaming\Body;
use Throwable;

/**
 * The loop: start, then one event after the other until the API says stop.
 *
 * A shutdown function reports what PHP does not let anyone catch: fatal errors, and `exit` while starting.
 */
final class Runtime
{
    private bool $starting = false;
    private bool $ending = false;
    private ?Invocation $current = null;
    private ?Runner $runner = null;
    private readonly int $process;

    /** @param Closure(): Runner $make what goes wrong in it is an initialisation error */
    public function __construct(private readonly RuntimeApi $api, private readonly Closure $make)
    {
        FatalError::reserveMemory();
        $this->process = (int) getmypid();
    }

    /** Runs until something is wrong; returns the exit code, never 0. */
    public function run(): int
    {
        register_shutdown_function($this->shutDown(...));
        $this->endOnTermination();
        $this->starting = true;
        try {
            $this->runner = ($this->make)();
            $this->runner->start();
        } catch (Throwable $error) {
            $this->starting = false;
            $this->ending = true;
            $this->reportStart(ErrorReport::of($error, 'Runtime'));

            return 1;
        }
        $this->starting = false;
        try {
            for (;;) {
                $this->serve($this->runner, $this->api->next());
            }
        } catch (ApiFailure $failure) {
            $this->ending = true;
            Log::line('Runtime API: ' . $failure->getMessage() . '; this process ends', Log::ERROR);

            return 1;
        } catch (Throwable $error) {
            $this->ending = true;
            ErrorReport::of($error)->log('This process cannot serve another event and ends');

            return 1;
        }
    }

    /** @throws ApiFailure */
    private function serve(Runner $runner, Invocation $invocation): void
    {
        $this->current = $invocation;
        $requestId = $invocation->requestId;
        Log::event($requestId);
        $outcome = Outcome::of($runner, $invocation);
        if ($outcome->result instanceof Body) {
            $this->api->stream($requestId, $outcome->result); // the project's code still runs in it
            $this->current = null;
        } elseif ($outcome->report === null) {
            $this->current = null;
            $this->api->respond($requestId, $outcome->result);
        } else {
            $this->current = null;
            $outcome->report->log('Invoke Error');
            $this->api->fail($requestId, $outcome->report);
        }
        $runner->settle();
        Log::event(null);
    }

    private function reportStart(ErrorReport $report): void
    {
        $report->log('Init Error');
        $this->api->initFailed($report);
    }

    /** PHP calls this at every end of the process. */
    private function shutDown(): void
    {
        if (getmypid() !== $this->process) {
            return; // a copy of this process, which has its own way to tell
        }
        $fatal = FatalError::last();
        if (!$this->ending) {
            $this->reportEnd($fatal);
        }
        $this->runner?->stop();
    }

    /** @param array{type: int, message: string, file: string, line: int}|null $fatal */
    private function reportEnd(?array $fatal): void
    {
        if ($this->starting) {
            $this->reportStart($fatal === null
                ? ErrorReport::of(new InitFailure('ExitDuringInit', 'the code called exit() while it was loaded'))
                : ErrorReport::ofFatal($fatal, 'Runtime'));
        } elseif ($this->current !== null && $fatal !== null) {
            $report = ErrorReport::ofFatal($fatal);
            $report->log('Invoke Error');
            try {
                $this->api->fail($this->current->requestId, $report);
            } catch (ApiFailure $failure) {
                Log::line('Runtime API: ' . $failure->getMessage(), Log::ERROR);
            }
        } elseif ($this->current !== null) {
            // Not reported: Lambda itself says that the runtime exited, and with which code.
            Log::line('the handler called exit(); this process ends');
        }
    }

    /**
     * As the first process of a container we would not get SIGTERM's default action.
     */
    private function endOnTermination(): void
    {
        if (!function_exists('pcntl_signal') || !function_exists('pcntl_async_signals')) {
            return;
        }
        pcntl_async_signals(true);
        pcntl_signal(SIGTERM, function (): never {
            $this->ending = true;
            exit(0);
        });
    }
}
