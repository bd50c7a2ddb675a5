<?php

declare(strict_types=1);

namespace RuntimeBuilder;

/** The function cannot start: reported on /runtime/init/error. */
final class InitFailure extends \RuntimeException implements Reportable
{
    /** @param string $reason one word, such as `HandlerNotFound` */
    public function __construct(private readonly string $reason, string $message, ?\Throwable $cause = null)
    {
        parent::__construct($message, 0, $cause);
    }

    public function errorType(): string
    {
        return 'Runtime.' . $this->reason;
    }
}
