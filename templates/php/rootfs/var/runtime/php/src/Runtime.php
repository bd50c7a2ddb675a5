<?php

declare(strict_types=1);

namespace RuntimeBuilder;

use RuntimeBuilder\Api\ApiFailure;
use RuntimeBuilder\Api\Invocation;
use RuntimeBuilder\Api\RuntimeApi;
use Throwable;

/**
 * The loop: start, then one event after the other until the API says stop.
 *
 * A shutdown function reports what PHP does not let anyone catch: fatal errors, and `exit` while starting.
 */
final class Runtime
{
    private const FATAL = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;

    private bool $starting = false;
    private bool $ending = false;
    private ?Invocation $current = null;

    /** Given back when memory has run out, so that there is some for the report. */
    private ?string $reserve;

    public function __construct(private readonly RuntimeApi $api, private readonly Runner $runner)
    {
        $this->reserve = str_repeat(' ', 256 * 1024);
    }

    /** Runs until something is wrong; returns the exit code, never 0. */
    public function run(): int
    {
        register_shutdown_function($this->shutDown(...));
        $this->endOnTermination();
        $this->starting = true;
        try {
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
                $this->serve($this->api->next());
            }
        } catch (ApiFailure $failure) {
            $this->ending = true;
            Log::line('Runtime API: ' . $failure->getMessage() . '; this process ends');

            return 1;
        } catch (Throwable $error) {
            $this->ending = true;
            Log::line('This process cannot serve another event and ends: ' . ErrorReport::of($error)->json());

            return 1;
        }
    }

    /** @throws ApiFailure */
    private function serve(Invocation $invocation): void
    {
        $this->current = $invocation;
        $requestId = $invocation->requestId;
        Environment::set('_X_AMZN_TRACE_ID', $invocation->traceId);
        $buffers = ob_get_level();
        try {
            $result = $this->runner->run($invocation);
            $report = null;
        } catch (Throwable $error) {
            $result = '';
            $report = ErrorReport::of($error);
            unset($error); // it holds the arguments of the calls, and with them the event
        }
        // Lambda may freeze the process as soon as it is answered: all output has to be out by then.
        while (ob_get_level() > $buffers && ob_end_flush()) {
        }
        flush();
        $this->current = null;
        if ($report === null) {
            $this->api->respond($requestId, $result);
        } else {
            Log::line($report->logLine($requestId, 'Invoke Error'));
            $this->api->fail($requestId, $report);
        }
        $this->runner->settle();
    }

    private function reportStart(ErrorReport $report): void
    {
        Log::line($report->logLine('-', 'Init Error'));
        $this->api->initFailed($report);
    }

    /** PHP calls this at every end of the process. */
    private function shutDown(): void
    {
        $this->reserve = null;
        $fatal = error_get_last();
        $fatal = $fatal !== null && ($fatal['type'] & self::FATAL) !== 0 ? $fatal : null;
        if ($fatal !== null) {
            ini_set('memory_limit', '-1');
        }
        if (!$this->ending) {
            $this->reportEnd($fatal);
        }
        $this->runner->stop();
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
            Log::line($report->logLine($this->current->requestId, 'Invoke Error'));
            try {
                $this->api->fail($this->current->requestId, $report);
            } catch (ApiFailure $failure) {
                Log::line('Runtime API: ' . $failure->getMessage());
            }
        } elseif ($this->current !== null) {
            // Not reported: Lambda itself says that the runtime exited, and with which code.
            Log::line("{$this->current->requestId}\tthe handler called exit(); this process ends");
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
