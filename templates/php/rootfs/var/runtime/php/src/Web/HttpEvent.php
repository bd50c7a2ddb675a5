<?php

declare(strict_types=1);

namespace RuntimeBuilder\Web;

use RuntimeBuilder\Log;

use function array_filter;
use function array_keys;
use function array_map;
use function array_slice;
use function base64_decode;
use function count;
use function explode;
use function get_debug_type;
use function implode;
use function is_array;
use function is_bool;
use function is_scalar;
use function is_string;
use function rawurlencode;
use function str_starts_with;
use function strpbrk;
use function strtolower;

/**
 * One HTTP request out of a Lambda event, the same for every sender.
 *
 * Header names are lower-case; several values of one header are joined with ", ", those of Cookie with "; ".
 */
final class HttpEvent
{
    /**
     * @param string $path as sent: percent-encoded or not, beginning with /
     * @param string $query as it goes behind the question mark
     * @param array<string, string> $headers
     * @param bool $multiValue whether the answer has to list the values of each header
     * @param array<mixed> $requestContext
     * @param bool $takesStreams whether the sender can pass an answer on while it is made
     */
    private function __construct(
        public readonly EventForm $form,
        public readonly string $method,
        public readonly string $path,
        public readonly string $query,
        public readonly array $headers,
        public readonly string $body,
        public readonly bool $multiValue,
        public readonly string $protocol,
        public readonly string $sourceIp,
        public readonly array $requestContext,
        public readonly bool $takesStreams = true,
    ) {
    }

    /** @throws UnknownEvent */
    public static function of(mixed $event): self
    {
        if (!is_array($event)) {
            throw new UnknownEvent('the event is ' . get_debug_type($event) . ', not an HTTP request');
        }
        $context = self::map($event, 'requestContext');
        if (isset($context['http']) && is_array($context['http'])) {
            return self::version2($event, $context, $context['http']);
        }
        if (is_string($event['httpMethod'] ?? null)) {
            return isset($context['elb']) ? self::loadBalancer($event, $context) : self::version1($event, $context);
        }
        if (is_string($context['connectionId'] ?? null) && is_string($context['eventType'] ?? null)) {
            return self::webSocket($event, $context, strtolower($context['eventType']));
        }
        $keys = implode(', ', array_slice(array_keys($event), 0, 8));
        throw new UnknownEvent(
            'the event is not an HTTP request: it has neither httpMethod (API Gateway 1.0, load balancer),'
                . ' requestContext.http (API Gateway 2.0, function URL) nor requestContext.connectionId (WebSocket);'
                . ($keys === '' ? ' it is empty' : " its keys are: $keys"),
        );
    }

    /**
     * What happens on a WebSocket, as a request that an application can route: `GET /websocket/connect` with the
     * headers and query of the client's request, `POST /websocket/message` with the message as its body,
     * `POST /websocket/disconnect`. Who it is stands in LAMBDA_REQUEST_CONTEXT: `connectionId`, `routeKey`.
     *
     * @param array<mixed> $event
     * @param array<mixed> $context
     */
    private static function webSocket(array $event, array $context, string $type): self
    {
        $headers = self::headers(self::values($event, 'multiValueHeaders', 'headers'));
        $query = [];
        foreach (self::values($event, 'multiValueQueryStringParameters', 'queryStringParameters') as [$name, $value]) {
            $query[] = rawurlencode($name) . '=' . rawurlencode($value);
        }
        if ($type === 'message') {
            $headers['content-type'] ??= 'application/octet-stream'; // not a form, whatever is in it
        }

        $headers += ['host' => self::text($context, 'domainName', 'localhost'), 'x-forwarded-proto' => 'https'];

        return new self(
            form: EventForm::ApiGatewayV1,
            method: $type === 'connect' ? 'GET' : 'POST',
            path: '/websocket/' . rawurlencode($type),
            query: implode('&', $query),
            headers: $headers,
            body: self::body($event),
            multiValue: false,
            protocol: 'HTTP/1.1',
            sourceIp: self::text(self::map($context, 'identity'), 'sourceIp', ''),
            requestContext: $context,
            takesStreams: false,
        );
    }

    /**
     * @param array<mixed> $event
     * @param array<mixed> $context
     */
    private static function version1(array $event, array $context): self
    {
        $query = [];
        foreach (self::values($event, 'multiValueQueryStringParameters', 'queryStringParameters') as [$name, $value]) {
            $query[] = rawurlencode($name) . '=' . rawurlencode($value); // they arrive decoded
        }
        $identity = self::map($context, 'identity');

        return new self(
            form: EventForm::ApiGatewayV1,
            method: self::text($event, 'httpMethod', 'GET'),
            path: self::path(self::text($event, 'path', '/')),
            query: implode('&', $query),
            headers: self::headers(self::values($event, 'multiValueHeaders', 'headers')),
            body: self::body($event),
            multiValue: isset($event['multiValueHeaders']),
            protocol: self::text($context, 'protocol', 'HTTP/1.1'),
            sourceIp: self::text($identity, 'sourceIp', ''),
            requestContext: $context,
        );
    }

    /**
     * @param array<mixed> $event
     * @param array<mixed> $context
     */
    private static function loadBalancer(array $event, array $context): self
    {
        $query = [];
        foreach (self::values($event, 'multiValueQueryStringParameters', 'queryStringParameters') as [$name, $value]) {
            $query[] = "$name=$value"; // they arrive as the client encoded them
        }
        $headers = self::headers(self::values($event, 'multiValueHeaders', 'headers'));
        // The load balancer appends its peer; what stands before that is the client's own claim.
        $forwarded = array_map('trim', explode(',', $headers['x-forwarded-for'] ?? ''));

        return new self(
            form: EventForm::LoadBalancer,
            method: self::text($event, 'httpMethod', 'GET'),
            path: self::path(self::text($event, 'path', '/')),
            query: implode('&', $query),
            headers: $headers,
            body: self::body($event),
            multiValue: isset($event['multiValueHeaders']),
            protocol: 'HTTP/1.1',
            sourceIp: $forwarded[count($forwarded) - 1],
            requestContext: $context,
            takesStreams: false,
        );
    }

    /**
     * @param array<mixed> $event
     * @param array<mixed> $context
     * @param array<mixed> $http
     */
    private static function version2(array $event, array $context, array $http): self
    {
        $headers = self::headers(self::values($event, '', 'headers'));
        $cookies = array_filter(self::map($event, 'cookies'), 'is_string');
        if ($cookies !== []) {
            $headers['cookie'] = implode('; ', $cookies);
        }

        return new self(
            form: EventForm::ApiGatewayV2,
            method: self::text($http, 'method', 'GET'),
            path: self::path(self::text($event, 'rawPath', self::text($http, 'path', '/'))),
            query: self::text($event, 'rawQueryString', ''),
            headers: $headers,
            body: self::body($event),
            multiValue: false,
            protocol: self::text($http, 'protocol', 'HTTP/1.1'),
            sourceIp: self::text($http, 'sourceIp', ''),
            requestContext: $context,
        );
    }

    /**
     * Name and value of each entry, in order; the list form where the event has it.
     *
     * @param array<mixed> $event
     * @return list<array{string, string}>
     */
    private static function values(array $event, string $multi, string $single): array
    {
        $source = is_array($event[$multi] ?? null) ? $event[$multi] : self::map($event, $single);
        $values = [];
        foreach ($source as $name => $entry) {
            if (is_string($entry)) {
                $values[] = [(string) $name, $entry];
                continue;
            }
            foreach (is_array($entry) ? $entry : [$entry] as $value) {
                if (is_scalar($value)) {
                    $values[] = [(string) $name, is_bool($value) ? ($value ? 'true' : 'false') : (string) $value];
                }
            }
        }

        return $values;
    }

    /**
     * @param list<array{string, string}> $values
     * @return array<string, string>
     */
    private static function headers(array $values): array
    {
        $headers = [];
        foreach ($values as [$name, $value]) {
            $name = Fields::lowerCase($name);
            if ($name === null || strpbrk($value, "\r\n\0") !== false) {
                // Neither a server nor API Gateway passes such a field on; an event that somebody made up may hold one.
                Log::line('a header of the event is left out: it has a name or a value that HTTP does not allow');
                continue;
            }
            $headers[$name] = isset($headers[$name])
                ? $headers[$name] . ($name === 'cookie' ? '; ' : ', ') . $value
                : $value;
        }

        return $headers;
    }

    /** @param array<mixed> $event */
    private static function body(array $event): string
    {
        $body = self::text($event, 'body', '');
        if (($event['isBase64Encoded'] ?? false) !== true) {
            return $body;
        }
        $decoded = base64_decode($body, true);
        if ($decoded === false) {
            throw new UnknownEvent('the event says that its body is base64, but it is not');
        }

        return $decoded;
    }

    private static function path(string $path): string
    {
        return str_starts_with($path, '/') ? $path : "/$path";
    }

    /**
     * @param array<mixed> $from
     * @return array<mixed>
     */
    private static function map(array $from, string $key): array
    {
        $value = $from[$key] ?? null;

        return is_array($value) ? $value : [];
    }

    /** @param array<mixed> $from */
    private static function text(array $from, string $key, string $default): string
    {
        $value = $from[$key] ?? null;

        return is_string($value) ? $value : $default;
    }
}
