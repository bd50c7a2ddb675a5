<?php

declare(strict_types=1);

namespace RuntimeBuilder\Web;

use RuntimeBuilder\Context;
use RuntimeBuilder\Version;

/**
 * The CGI variables (RFC 3875) of a request, and Lambda's own beside them; an application sees them in $_SERVER.
 *
 * Every path goes to the one script, as behind a web server that rewrites to a front controller: SCRIPT_NAME is
 * the script, REQUEST_URI what the client asked for, PATH_INFO its path, decoded.
 */
final class FastCgiParameters
{
    /** @param string $script absolute path of the front controller */
    public function __construct(private readonly string $script)
    {
    }

    /** @return array<string, string> */
    public function of(HttpEvent $event, Context $context): array
    {
        $headers = $event->headers;
        $path = str_replace('?', '%3F', self::encode($event->path));
        $query = self::encode($event->query);
        $https = strtolower(trim(explode(',', $headers['x-forwarded-proto'] ?? '')[0])) === 'https';
        $port = trim(explode(',', $headers['x-forwarded-port'] ?? '')[0]);
        $length = (string) strlen($event->body);
        $contentType = $headers['content-type'] ?? ($event->body === '' ? null : 'application/x-www-form-urlencoded');
        $params = [
            'GATEWAY_INTERFACE' => 'CGI/1.1',
            'SERVER_SOFTWARE' => 'runtimebuilder/' . Version::CLIENT,
            'SERVER_PROTOCOL' => $event->protocol,
            'SERVER_NAME' => self::serverName($headers['host'] ?? ''),
            'SERVER_ADDR' => '127.0.0.1',
            'SERVER_PORT' => preg_match('/^\d+$/', $port) === 1 ? $port : ($https ? '443' : '80'),
            'REMOTE_ADDR' => $event->sourceIp === '' ? '127.0.0.1' : $event->sourceIp,
            'REMOTE_PORT' => '0', // Lambda does not tell
            'REQUEST_METHOD' => $event->method,
            'REQUEST_SCHEME' => $https ? 'https' : 'http',
            'REQUEST_URI' => $query === '' ? $path : "$path?$query",
            'QUERY_STRING' => $query,
            'DOCUMENT_ROOT' => dirname($this->script),
            'SCRIPT_FILENAME' => $this->script,
            'SCRIPT_NAME' => '/' . basename($this->script),
            'PATH_INFO' => self::decode($event->path),
            'CONTENT_LENGTH' => $length,
            'LAMBDA_INVOCATION_CONTEXT' => self::json($context),
            'LAMBDA_REQUEST_CONTEXT' => self::json($event->requestContext),
            'LAMBDA_REQUEST_ID' => $context->requestId,
        ];
        if ($https) {
            $params['HTTPS'] = 'on';
        }
        if ($contentType !== null) {
            $params['CONTENT_TYPE'] = $contentType;
        }
        if ($context->traceId !== null) {
            $params['_X_AMZN_TRACE_ID'] = $context->traceId;
        }
        if (isset($headers['content-length'])) {
            $headers['content-length'] = $length; // not what the client claimed of an encoded body
        }

        return $params + self::headers($headers);
    }

    /**
     * HTTP_* variables. `X_Real_Ip` and `X-Real-Ip` become the same one: the real name wins. `Proxy` would
     * become HTTP_PROXY, which programs take for the address of a proxy (httpoxy).
     *
     * @param array<string, string> $headers
     * @return array<string, string>
     */
    private static function headers(array $headers): array
    {
        $underscored = [];
        $params = [];
        foreach ($headers as $name => $value) {
            $name = (string) $name;
            $param = 'HTTP_' . strtoupper(strtr($name, '-', '_'));
            if ($param === 'HTTP_PROXY') {
                continue;
            }
            if (str_contains($name, '_')) {
                $underscored[$param] = $value;
            } else {
                $params[$param] = $value;
            }
        }

        return $params + $underscored;
    }

    /** Makes what stands decoded in an event fit for a request line; what is encoded already stays. */
    private static function encode(string $text): string
    {
        return (string) preg_replace_callback(
            '/[^!$&-;=?@-Z\[\]_a-z~%]/',
            static fn (array $match) => rawurlencode($match[0]),
            $text,
        );
    }

    private static function decode(string $path): string
    {
        $decoded = rawurldecode($path);

        return str_contains($decoded, "\0") ? $path : $decoded;
    }

    /** Host without the port. */
    private static function serverName(string $host): string
    {
        $name = (string) preg_replace('/:\d*$/', '', $host);

        return $name === '' ? 'localhost' : $name;
    }

    private static function json(mixed $value): string
    {
        return json_encode(
            $value === [] ? new \stdClass() : $value,
            JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR,
        );
    }
}
