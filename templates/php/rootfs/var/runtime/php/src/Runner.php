<?php

declare(strict_types=1);

namespace RuntimeBuilder;

use RuntimeBuilder\Api\Invocation;
use RuntimeBuilder\Streaming\Body;

/** One way to run a project's code: as a function, behind PHP-FPM, as console commands. */
interface Runner
{
    /**
     * Makes everything ready for the first event; called once. Whatever it throws is an initialisation error.
     */
    public function start(): void;

    /**
     * Serves one event and returns the result: JSON text, or what is to be sent while it is made. Whatever it
     * throws is that event's error.
     */
    public function run(Invocation $invocation): string|Body;

    /** Called when the event has been answered; not ready for another one means: make it so here. */
    public function settle(): void;

    /** Called when this process is about to end. */
    public function stop(): void;
}
