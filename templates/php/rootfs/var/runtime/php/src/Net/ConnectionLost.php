<?php

declare(strict_types=1);

namespace RuntimeBuilder\Net;

/** The peer could not be reached or went away before its answer was complete. */
final class ConnectionLost extends \RuntimeException
{
    /** @param bool $taken whether the peer may have taken (part of) the request */
    public function __construct(string $message, public readonly bool $taken, public readonly bool $answerBegan = false)
    {
        parent::__construct($message);
    }
}
