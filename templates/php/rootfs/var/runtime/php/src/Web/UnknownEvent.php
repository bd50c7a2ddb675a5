<?php

declare(strict_types=1);

namespace RuntimeBuilder\Web;

/** The event is not one that a web application can serve. */
final class UnknownEvent extends \InvalidArgumentException
{
}
