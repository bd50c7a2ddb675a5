<?php

declare(strict_types=1);

namespace RuntimeBuilder\Http;

/** What came is not HTTP/1.x as RFC 9112 has it. */
final class MalformedResponse extends \RuntimeException
{
}
