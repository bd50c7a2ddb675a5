<?php

declare(strict_types=1);

namespace RuntimeBuilder\Web;

use RuntimeBuilder\Context;
use RuntimeBuilder\Version;

use function basename;
use function dirname;
use function explode;
use function json_encode;
use function preg_match;
use function preg_replace;
use function preg_replace_callback;
use function rawurldecode;
use function rawurlencode;
use function str_contains;
use function str_replace;
use function strlen;
use function strtolower;
use function trim;

/**
 * The CGI variables (RFC 3875) of a request, and Lambda's own beside them; an application sees them in $_SERVER.
 *
 * Every path goes to the one script, as behind a web server that rewrites to a front controller: SCRIPT_NAME is
 * the script, REQUEST_URI what the client asked for, PATH_INFO its path, decoded.
 */
final class FastCgiParameters
{
    /** @var array<string, string> what is the same for every request */
    private readonly array $fixed;

    /** @param string $script absolute path of the front controller */
    public function __construct(string $script)
    {
        $this->fixed = [
            'GATEWAY_INTERFACE' => 'CGI/1.1',
            'SERVER_SOFTWARE' => 'runtimebuilder/' . Version::CLIENT,
            'SERVER_ADDR' => '127.0.0.1',
            'REMOTE_PORT' => '0', // Lambda does not tell
            'DOCUMENT_ROOT' => dirname($script),
            'SCRIPT_FILENAME' => $script,
            'SCRIPT_NAME' => '/' . basename($script),
        ];
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
        $params = $this->fixed + [
            'SERVER_PROTOCOL' => $event->protocol,
            'SERVER_NAME' => self::serverName($headers['host'] ?? ''),
            'SERVER_PORT' => preg_match('/^\d+$/', $port) === 1 ? $port : ($https ? '443' : '80'),
            'REMOTE_ADDR' => $event->sourceIp === '' ? '127.0.0.1' : $event->sourceIp,
            'REQUEST_METHOD' => $event->method,
            'REQUEST_SCHEME' => $https ? 'https' : 'http',
            'REQUEST_URI' => $query === '' ? $path : "$path?$query",
            'QUERY_STRING' => $query,
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
            $param = Fields::param($name);
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
        $unfit = '/[^!$&-;=?@-Z\[\]_a-z~%]/';

        return preg_match($unfit, $text) === 0
            ? $text
            : (string) preg_replace_callback($unfit, static fn (array $match) => rawurlencode($match[0]), $text);
    }

    private static function decode(string $path): string
    {
        $decoded = rawurldecode($path);

        return str_contains($decoded, "\0") ? $path : $decoded;
    }

    /** Host without the port. */
    private static function serverName(string $host): string
    {
        $name = str_contains($host, ':') ? (string) preg_replace('/:\d*$/', '', $host) : $host;

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
