<?php

declare(strict_types=1);

namespace RuntimeBuilder\Net;

use function hrtime;
use function max;

/** A moment on the monotonic clock for a whole operation, however many reads it takes; or never. */
final class Deadline
{
    private function __construct(private readonly ?int $nanoseconds)
    {
    }

    public static function never(): self
    {
        return new self(null);
    }

    public static function in(float $seconds): self
    {
        return new self(hrtime(true) + (int) ($seconds * 1e9));
    }

    /** Seconds left, never below 0; null when there is no deadline. */
    public function remaining(): ?float
    {
        return $this->nanoseconds === null ? null : max(0.0, ($this->nanoseconds - hrtime(true)) / 1e9);
    }

    public function hasPassed(): bool
    {
        return $this->nanoseconds !== null && hrtime(true) >= $this->nanoseconds;
    }
}
