<?php

declare(strict_types=1);

namespace RuntimeBuilder;

/** One event cannot be served, and the reason is not an exception of the project's own code. */
final class InvocationFailure extends \RuntimeException implements Reportable
{
    /** @param string $errorType such as `Function.Timeout` or `Runtime.UnmarshalError` */
    public function __construct(private readonly string $errorType, string $message, ?\Throwable $cause = null)
    {
        parent::__construct($message, 0, $cause);
    }

    public function errorType(): string
    {
        return $this->errorType;
    }
}
