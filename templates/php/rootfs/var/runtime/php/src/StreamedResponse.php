<?php

declare(strict_types=1);

namespace RuntimeBuilder;

/**
 * What a handler returns to have its result sent while it is made (RUNTIMEBUILDER_STREAMING=on): pieces of bytes, each
 * sent when the iterable gives it. A generator alone does as well; this class says more about it.
 */
final class StreamedResponse
{
    /**
     * @param iterable<string> $pieces
     * @param array{statusCode: int, headers: object, cookies?: list<string>}|null $http
     */
    private function __construct(
        public readonly iterable $pieces,
        public readonly string $contentType,
        public readonly ?array $http,
    ) {
    }

    /**
     * For a caller that takes bytes.
     *
     * @param iterable<string> $pieces
     */
    public static function of(iterable $pieces, string $contentType = 'application/octet-stream'): self
    {
        return new self($pieces, $contentType, null);
    }

    /**
     * For the web, behind a function URL or API Gateway that streams: status, headers and cookies, then the body.
     *
     * @param iterable<string> $pieces
     * @param array<string, string> $headers
     * @param list<string> $cookies as in `Set-Cookie`
     */
    public static function http(iterable $pieces, int $status = 200, array $headers = [], array $cookies = []): self
    {
        $http = ['statusCode' => $status, 'headers' => (object) $headers];
        if ($cookies !== []) {
            $http['cookies'] = $cookies;
        }

        return new self($pieces, Streaming\Body::HTTP, $http);
    }
}
