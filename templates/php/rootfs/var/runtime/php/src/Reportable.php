<?php

declare(strict_types=1);

namespace RuntimeBuilder;

/** A failure of the runtime's own that has a fixed error type, such as `Runtime.HandlerNotFound`. */
interface Reportable extends \Throwable
{
    /** Category and reason: `(Runtime|Function).[A-Za-z]+`. */
    public function errorType(): string;
}
