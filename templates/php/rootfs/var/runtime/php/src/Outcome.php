<?php

declare(strict_types=1);

namespace RuntimeBuilder;

use Generator;
use RuntimeBuilder\Api\Invocation;
use RuntimeBuilder\Streaming\Body;
use Throwable;

use function flush;
use function ob_end_flush;
use function ob_get_level;
use function ob_start;

/** What came of one event: a result (text, or a stream that has begun), or the report of a failure. */
final class Outcome
{
    private function __construct(public readonly string|Body $result, public readonly ?ErrorReport $report)
    {
    }

    /**
     * Runs the project's code for one event; everything that it printed is out when this returns, or when the last
     * piece of its stream has been taken.
     */
    public static function of(Runner $runner, Invocation $invocation): self
    {
        Environment::set('_X_AMZN_TRACE_ID', $invocation->traceId);
        $buffers = ob_get_level();
        if (Log::isJson()) {
            ob_start(static function (string $output): string {
                Log::output($output);

                return '';
            }, 1);
        }
        try {
            $result = $runner->run($invocation);
            $report = null;
        } catch (Throwable $error) {
            $result = '';
            $report = ErrorReport::of($error);
            unset($error); // it holds the arguments of the calls, and with them the event
        }
        if ($result instanceof Body) {
            return new self(Body::withHead($result->head(), self::flushedAfter($result, $buffers)), null);
        }
        self::flush($buffers);

        return new self($result, $report);
    }

    /** Lambda may freeze the process as soon as it is answered: all output has to be out by then. */
    private static function flush(int $buffers): void
    {
        while (ob_get_level() > $buffers && ob_end_flush()) {
        }
        flush();
        Log::endOutput();
    }

    /** @return Generator<int, string> */
    private static function flushedAfter(Body $body, int $buffers): Generator
    {
        try {
            yield from $body->payload();
        } finally {
            self::flush($buffers);
        }
    }
}
