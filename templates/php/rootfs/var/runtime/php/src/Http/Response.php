<?php

declare(strict_types=1);

namespace RuntimeBuilder\Http;

final class Response
{
    public function __construct(
        public readonly int $status,
        public readonly Headers $headers,
        public readonly string $body,
        public readonly bool $keepAlive,
    ) {
    }
}
