<?php

declare(strict_types=1);

namespace RuntimeBuilder;

use RuntimeBuilder\Api\Invocation;
use Throwable;

/** What came of one event: a result, or the report of a failure. */
final class Outcome
{
    private function __construct(public readonly string $result, public readonly ?ErrorReport $report)
    {
    }

    /** Runs the project's code for one event; everything that it printed is out when this returns. */
    public static function of(Runner $runner, Invocation $invocation): self
    {
        Environment::set('_X_AMZN_TRACE_ID', $invocation->traceId);
        $buffers = ob_get_level();
        try {
            $result = $runner->run($invocation);
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

        return new self($result, $report);
    }
}
