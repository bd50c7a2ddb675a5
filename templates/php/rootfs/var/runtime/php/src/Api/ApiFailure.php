<?php

declare(strict_types=1);

namespace RuntimeBuilder\Api;

/** The Runtime API cannot be used any more: this process has to end, non-zero. */
final class ApiFailure extends \RuntimeException
{
}
