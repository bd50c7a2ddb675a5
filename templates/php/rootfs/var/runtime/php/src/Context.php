<?php

declare(strict_types=1);

namespace RuntimeBuilder;

use RuntimeBuilder\Api\Invocation;

use function array_map;
use function getenv;
use function is_array;
use function json_decode;
use function max;
use function microtime;

/** What a handler gets beside the event: this invocation and this function. */
final class Context implements \JsonSerializable
{
    /**
     * @param int $deadlineMs milliseconds since 1970; 0 when the environment gave none
     * @param array<mixed>|null $clientContext of the mobile SDK that invoked the function
     * @param array<mixed>|null $cognitoIdentity
     */
    public function __construct(
        public readonly string $requestId,
        public readonly int $deadlineMs,
        public readonly string $functionArn,
        public readonly ?string $traceId,
        public readonly ?array $clientContext,
        public readonly ?array $cognitoIdentity,
        public readonly ?string $tenantId,
        public readonly string $functionName,
        public readonly string $functionVersion,
        public readonly int $memoryLimitMb,
        public readonly string $logGroup,
        public readonly string $logStream,
    ) {
    }

    public static function of(Invocation $invocation): self
    {
        // The environment's own: the same for every event.
        static $function = null;
        $function ??= array_map(static fn (string $name): string => getenv($name) ?: '', [
            'AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_FUNCTION_VERSION', 'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
            'AWS_LAMBDA_LOG_GROUP_NAME', 'AWS_LAMBDA_LOG_STREAM_NAME',
        ]);

        return new self(
            requestId: $invocation->requestId,
            deadlineMs: $invocation->deadlineMs ?? 0,
            functionArn: $invocation->functionArn,
            traceId: $invocation->traceId,
            clientContext: self::parse('Lambda-Runtime-Client-Context', $invocation->clientContext),
            cognitoIdentity: self::parse('Lambda-Runtime-Cognito-Identity', $invocation->cognitoIdentity),
            tenantId: $invocation->tenantId,
            functionName: $function[0],
            functionVersion: $function[1],
            memoryLimitMb: (int) $function[2],
            logGroup: $function[3],
            logStream: $function[4],
        );
    }

    /** Milliseconds until Lambda stops this invocation, computed anew at each call; never below 0. */
    public function remainingTimeMs(): int
    {
        return max(0, $this->deadlineMs - (int) (microtime(true) * 1000));
    }

    /** @return array<string, mixed> for code in another process: the names are stable */
    public function jsonSerialize(): array
    {
        return [
            'awsRequestId' => $this->requestId,
            'deadlineMs' => $this->deadlineMs,
            'invokedFunctionArn' => $this->functionArn,
            'traceId' => $this->traceId,
            'clientContext' => $this->clientContext,
            'cognitoIdentity' => $this->cognitoIdentity,
            'tenantId' => $this->tenantId,
        ];
    }

    /** @return array<mixed>|null */
    private static function parse(string $header, ?string $json): ?array
    {
        if ($json === null) {
            return null;
        }
        $value = json_decode($json, true);
        if (!is_array($value)) {
            Log::line("$header is not a JSON object; the handler gets null in its place");

            return null;
        }

        return $value;
    }
}
