<?php

declare(strict_types=1);

namespace RuntimeBuilder\State;

use RuntimeBuilder\Api\Invocation;
use RuntimeBuilder\ErrorReport;
use RuntimeBuilder\FatalError;
use RuntimeBuilder\InitFailure;
use RuntimeBuilder\Log;
use RuntimeBuilder\Outcome;
use RuntimeBuilder\Runner;
use RuntimeBuilder\Streaming\Body;
use Throwable;

/** The process that handles one event, and what it tells the runtime: the result, or why there is none. */
final class Worker
{
    private bool $told = false;
    private bool $starting = false;

    /** @param bool $isCopy whether this process was forked: what it inherited is not its own to tear down */
    public function __construct(
        private readonly Channel $channel,
        private readonly Runner $runner,
        private readonly bool $isCopy = false,
    ) {
        FatalError::reserveMemory();
        register_shutdown_function($this->shutDown(...));
    }

    /** A new process: loads the project's code, says so, and waits for its event. */
    public function startAndServe(): int
    {
        $this->starting = true;
        try {
            $this->runner->start();
        } catch (Throwable $error) {
            $this->tell(ErrorReport::of($error, 'Runtime'));

            return 1;
        }
        $this->starting = false;
        if (!$this->channel->send(Channel::READY)) {
            $this->told = true;

            return 1;
        }
        $message = $this->channel->receive();
        if ($message === null) {
            $this->told = true; // the runtime has ended

            return 0;
        }
        $invocation = unserialize($message[1], ['allowed_classes' => [Invocation::class]]);
        assert($invocation instanceof Invocation);
        unset($message);
        $this->serve($invocation);

        return 0;
    }

    public function serve(Invocation $invocation): void
    {
        Log::event($invocation->requestId);
        $outcome = Outcome::of($this->runner, $invocation);
        if ($outcome->report !== null) {
            $this->tell($outcome->report);
        } elseif ($outcome->result instanceof Body) {
            $this->stream($outcome->result);
        } else {
            $this->told = true;
            $this->channel->send(Channel::RESULT, $outcome->result);
        }
    }

    private function stream(Body $body): void
    {
        $this->channel->send(Channel::STREAM, serialize($body->head()));
        try {
            foreach ($body->payload() as $piece) {
                if (!$this->channel->send(Channel::PIECE, $piece)) {
                    break; // nobody takes more
                }
            }
        } catch (Throwable $error) {
            $this->tell(ErrorReport::of($error));

            return;
        }
        $this->told = true;
        $this->channel->send(Channel::END);
    }

    private function tell(ErrorReport $report): void
    {
        $this->told = true;
        $this->channel->send(Channel::FAILURE, serialize($report));
    }

    /** PHP calls this at every end of the process. An exit() of the handler is told by the process's status. */
    private function shutDown(): void
    {
        $fatal = FatalError::last();
        if ($this->told) {
            if ($this->isCopy) {
                register_shutdown_function(Vanishing::after(...)); // after those of the handler
            }

            return;
        }
        if ($fatal !== null) {
            $this->tell(ErrorReport::ofFatal($fatal, $this->starting ? 'Runtime' : 'Function'));
        } elseif ($this->starting) {
            $this->tell(ErrorReport::of(
                new InitFailure('ExitDuringInit', 'the code called exit() while it was loaded'),
                'Runtime',
            ));
        }
    }
}
