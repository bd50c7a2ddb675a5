<?php

declare(strict_types=1);

namespace RuntimeBuilder\Api;

use RuntimeBuilder\ErrorReport;
use RuntimeBuilder\Http\Client;
use RuntimeBuilder\Http\MalformedResponse;
use RuntimeBuilder\Http\Response;
use RuntimeBuilder\Log;
use RuntimeBuilder\Net\ConnectionLost;
use RuntimeBuilder\Net\TimedOut;
use RuntimeBuilder\Streaming\Body;
use RuntimeBuilder\Streaming\StreamedPost;
use RuntimeBuilder\Version;
use Throwable;

use function getenv;
use function preg_match;
use function rawurlencode;
use function strlen;
use function substr;
use function trim;

/**
 * The Lambda Runtime API, version 2018-06-01, from the runtime's side.
 *
 * Its answers decide between two things only: go on with the next event, or end this process (`ApiFailure`).
 * A result that was refused (400, 403, 413) has been dealt with by the API already, so nothing more is sent for it.
 */
final class RuntimeApi
{
    private const PREFIX = '/2018-06-01/runtime';

    /** An initialisation error that nobody answers must not keep the process (seconds). */
    private const INIT_ERROR_SECONDS = 3.0;

    private readonly Client $http;

    /** The response that is being streamed. */
    private ?StreamedPost $streaming = null;

    /** @param string $authority AWS_LAMBDA_RUNTIME_API: host:port */
    public function __construct(private readonly string $authority)
    {
        $this->http = new Client($authority, Version::userAgent());
    }

    /** @throws ApiFailure */
    public static function fromEnvironment(): self
    {
        $authority = getenv('AWS_LAMBDA_RUNTIME_API');
        if ($authority === false || $authority === '') {
            throw new ApiFailure(
                'AWS_LAMBDA_RUNTIME_API is not set: this program runs inside AWS Lambda or an emulator of it',
            );
        }
        if (preg_match('/^(?:\[[0-9a-fA-F:.]+\]|[^\s:\/@\[\]]+):\d{1,5}$/', $authority) !== 1) {
            throw new ApiFailure("AWS_LAMBDA_RUNTIME_API is '$authority', not host:port");
        }

        return new self($authority);
    }

    /**
     * Waits for the next event; tells Lambda at the same time that the environment is ready.
     *
     * @throws ApiFailure
     */
    public function next(): Invocation
    {
        try {
            $response = $this->http->get(self::PREFIX . '/invocation/next');
        } catch (ConnectionLost | MalformedResponse $failure) {
            throw new ApiFailure('waiting for the next event: ' . $failure->getMessage());
        }
        if ($response->status !== 200) {
            throw new ApiFailure('the next event was refused: ' . self::describe($response));
        }
        $headers = $response->headers->under('Lambda-Runtime-');
        $requestId = $headers['aws-request-id'] ?? '';
        if ($requestId === '') {
            throw new ApiFailure('the next event came without Lambda-Runtime-Aws-Request-Id and cannot be answered');
        }

        return new Invocation(
            requestId: $requestId,
            event: $response->body,
            deadlineMs: self::deadline($headers['deadline-ms'] ?? null),
            functionArn: $headers['invoked-function-arn'] ?? '',
            traceId: self::present($headers['trace-id'] ?? null),
            clientContext: self::present($headers['client-context'] ?? null),
            cognitoIdentity: self::present($headers['cognito-identity'] ?? null),
            tenantId: self::present($headers['aws-tenant-id'] ?? null),
        );
    }

    /**
     * @param string $json the result as JSON text
     * @throws ApiFailure
     */
    public function respond(string $requestId, string $json): void
    {
        $path = self::path($requestId, 'response');
        $this->postResult('response', $path, $json, ['Content-Type' => 'application/json']);
    }

    /**
     * Posts a result while it is made. An exception of the project's code ends it with the two trailers of an error.
     *
     * @throws ApiFailure
     */
    public function stream(string $requestId, Body $body): void
    {
        $path = self::path($requestId, 'response');
        try {
            $post = new StreamedPost($this->authority, Version::userAgent(), $path, $body->contentType);
            $this->streaming = $post;
            $report = self::sendPieces($post, $body);
            if ($report !== null) {
                $report->log('Invoke Error');
            }
            $response = $post->end($report);
        } catch (ConnectionLost | MalformedResponse $failure) {
            // The environment has given this event up; it knows, and says so if it has given us up.
            Log::line('streaming the response: ' . $failure->getMessage());

            return;
        } finally {
            $this->streaming?->close();
            $this->streaming = null;
        }
        $this->judge('response', $response);
    }

    /** The failure that ended the pieces; null when they have ended by themselves or nobody takes more. */
    private static function sendPieces(StreamedPost $post, Body $body): ?ErrorReport
    {
        $pieces = $body->pieces();
        while (true) {
            try {
                if (!$pieces->valid()) {
                    return null;
                }
                $piece = $pieces->current();
            } catch (Throwable $error) {
                return ErrorReport::of($error);
            }
            if (!$post->write($piece)) {
                return null;
            }
            unset($piece);
            try {
                $pieces->next();
            } catch (Throwable $error) {
                return ErrorReport::of($error);
            }
        }
    }

    /** @throws ApiFailure */
    public function fail(string $requestId, ErrorReport $report): void
    {
        if ($this->streaming !== null) { // a fatal error in the middle of a stream
            try {
                $this->streaming->end($report);
            } catch (ConnectionLost | MalformedResponse $failure) {
                throw new ApiFailure("streaming the response: " . $failure->getMessage());
            }

            return;
        }
        $path = self::path($requestId, 'error');
        $this->postResult('error', $path, $report->json(), $report->headers());
    }

    /** Reports that the runtime cannot start. The process has to end after it, whatever the answer. */
    public function initFailed(ErrorReport $report): void
    {
        try {
            $response = $this->http->post(
                self::PREFIX . '/init/error',
                $report->json(),
                $report->headers(),
                self::INIT_ERROR_SECONDS,
            );
            if ($response->status !== 202) {
                Log::line('The report of the failed start was refused: ' . self::describe($response));
            }
        } catch (ConnectionLost | MalformedResponse | TimedOut $failure) {
            Log::line('The failed start could not be reported: ' . $failure->getMessage());
        }
    }

    /** Lets go of the connection, so that a process that is about to be started does not inherit it. */
    public function disconnect(): void
    {
        $this->http->disconnect();
    }

    /** @param array<string, string> $headers */
    private function postResult(string $what, string $path, string $body, array $headers): void
    {
        try {
            $response = $this->http->post($path, $body, $headers);
        } catch (ConnectionLost | MalformedResponse | TimedOut $failure) {
            // It may have been taken: sending it again could answer twice.
            throw new ApiFailure("sending the $what: " . $failure->getMessage());
        }
        $this->judge("$what of " . strlen($body) . ' bytes', $response);
    }

    private function judge(string $what, Response $response): void
    {
        if ($response->status >= 200 && $response->status < 300) {
            return;
        }
        $refusal = "the $what was refused: " . self::describe($response)
            . ($response->status === 413 ? '; put what is larger into S3, or stream it' : '');
        if ($response->status >= 400 && $response->status < 500) {
            Log::line($refusal);

            return;
        }
        throw new ApiFailure($refusal);
    }

    private static function path(string $requestId, string $what): string
    {
        return self::PREFIX . '/invocation/' . rawurlencode($requestId) . "/$what";
    }

    private static function describe(Response $response): string
    {
        $body = trim(substr($response->body, 0, 500));

        return "HTTP {$response->status}" . ($body === '' ? '' : " $body");
    }

    private static function deadline(?string $milliseconds): ?int
    {
        return $milliseconds !== null && preg_match('/^\d{1,18}$/', $milliseconds) === 1 ? (int) $milliseconds : null;
    }

    /** Some emulators send empty headers where the service sends none. */
    private static function present(?string $value): ?string
    {
        return $value === '' ? null : $value;
    }
}
