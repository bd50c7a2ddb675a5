<?php

declare(strict_types=1);

namespace RuntimeBuilder\Api;

use function max;
use function microtime;

/** What GET next gave out: the event as JSON text and the headers, nothing decoded yet. */
final class Invocation
{
    public function __construct(
        public readonly string $requestId,
        public readonly string $event,
        public readonly ?int $deadlineMs = null,
        public readonly string $functionArn = '',
        public readonly ?string $traceId = null,
        public readonly ?string $clientContext = null,
        public readonly ?string $cognitoIdentity = null,
        public readonly ?string $tenantId = null,
    ) {
    }

    /** Seconds until the environment gives this invocation up, never below 0; null when no deadline came. */
    public function remainingSeconds(): ?float
    {
        return $this->deadlineMs === null ? null : max(0.0, $this->deadlineMs / 1000 - microtime(true));
    }
}
