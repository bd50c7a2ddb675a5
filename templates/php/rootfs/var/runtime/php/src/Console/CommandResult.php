<?php

declare(strict_types=1);

namespace RuntimeBuilder\Console;

/** How a program ended. */
final class CommandResult
{
    public readonly string $output;

    /**
     * @param int|null $exitCode null when it could not be started or a signal ended it
     * @param int|null $signal
     */
    public function __construct(
        public readonly ?int $exitCode,
        public readonly ?int $signal,
        public readonly bool $timedOut,
        string $output,
    ) {
        $this->output = strlen($output) > Command::OUTPUT_LIMIT ? substr($output, -Command::OUTPUT_LIMIT) : $output;
    }
}
