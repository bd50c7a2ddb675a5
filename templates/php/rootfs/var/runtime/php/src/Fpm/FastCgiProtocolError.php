<?php

declare(strict_types=1);

namespace RuntimeBuilder\Fpm;

/** What came is not FastCGI, or PHP-FPM refused the request. */
final class FastCgiProtocolError extends \RuntimeException
{
}
