<?php

declare(strict_types=1);

namespace RuntimeBuilder\Net;

/** A deadline of ours passed while waiting for the peer. */
final class TimedOut extends \RuntimeException
{
}
