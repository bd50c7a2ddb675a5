<?php

declare(strict_types=1);

namespace RuntimeBuilder\Web;

use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\Log;
use stdClass;

use function array_diff_key;
use function array_map;
use function base64_encode;
use function chr;
use function implode;
use function ord;
use function preg_match;
use function preg_replace_callback;
use function str_split;
use function strlen;
use function strtolower;
use function trim;
use function ucwords;

/** A script's answer in the form that the sender of the event takes. */
final class HttpResult
{
    /** Content types whose bytes are never text, even when they look like UTF-8. */
    private const BINARY = '{^(?:image/(?!svg)|audio/|video/|font/'
        . '|application/(?:octet-stream|pdf|zip|gzip|x-gzip|wasm|protobuf|x-protobuf|msgpack)\b)}i';

    private const REASONS = [
        200 => 'OK', 201 => 'Created', 202 => 'Accepted', 204 => 'No Content', 301 => 'Moved Permanently',
        302 => 'Found', 303 => 'See Other', 304 => 'Not Modified', 307 => 'Temporary Redirect',
        308 => 'Permanent Redirect', 400 => 'Bad Request', 401 => 'Unauthorized', 403 => 'Forbidden',
        404 => 'Not Found', 405 => 'Method Not Allowed', 409 => 'Conflict', 410 => 'Gone',
        413 => 'Content Too Large', 415 => 'Unsupported Media Type', 422 => 'Unprocessable Content',
        429 => 'Too Many Requests', 500 => 'Internal Server Error', 502 => 'Bad Gateway',
        503 => 'Service Unavailable', 504 => 'Gateway Timeout',
    ];

    /** Bytes of all header fields that API Gateway still takes. */
    private const HEADER_LIMIT = 10_240;

    /** @param bool $alwaysBinary every body as base64, whatever it is */
    public function __construct(private readonly HttpEvent $event, private readonly bool $alwaysBinary = false)
    {
    }

    /**
     * @return array<string, mixed> ready for JSON
     * @throws InvocationFailure for a status that does not end a request
     */
    public function of(CgiResponse $response): array
    {
        if ($response->status < 200) {
            throw new InvocationFailure(
                'Function.BadResponse',
                "the application answered with status {$response->status}, which announces another answer; Lambda takes"
                    . ' one answer, of 200 to 599',
            );
        }
        if ($response->status === 204 || $response->status === 304) {
            $response = new CgiResponse($response->status, $response->fields, ''); // these have no body (RFC 9110)
        }
        self::warnOfLargeHeaders($response);
        $base64 = ($this->alwaysBinary && $response->body !== '') || self::isBinary($response);
        $result = ['statusCode' => $response->status];
        if ($this->event->form === EventForm::LoadBalancer) {
            $result['statusDescription'] = trim($response->status . ' ' . (self::REASONS[$response->status] ?? ''));
        }
        $result += match (true) {
            $this->event->form === EventForm::ApiGatewayV2 => self::joined($response),
            $this->event->multiValue => ['multiValueHeaders' => self::object(self::lists($response))],
            default => ['headers' => self::object(self::single($response))],
        };

        return $result + [
            'isBase64Encoded' => $base64,
            'body' => $base64 ? base64_encode($response->body) : $response->body,
        ];
    }

    /**
     * What stands before the body of a streamed answer.
     *
     * @return array<string, mixed>
     * @throws InvocationFailure for a status that does not end a request
     */
    public function head(CgiResponse $response): array
    {
        return array_diff_key($this->of($response), ['isBase64Encoded' => 0, 'body' => 0]);
    }

    private static function warnOfLargeHeaders(CgiResponse $response): void
    {
        $bytes = 0;
        foreach ($response->fields as [$name, $value]) {
            $bytes += strlen($name) + strlen($value) + 4;
        }
        if ($bytes > self::HEADER_LIMIT) {
            Log::line("the answer has $bytes bytes of header fields; API Gateway refuses more than "
                . self::HEADER_LIMIT . ': look for large cookies');
        }
    }

    private static function isBinary(CgiResponse $response): bool
    {
        $encoding = strtolower($response->header('Content-Encoding'));

        return ($encoding !== '' && $encoding !== 'identity')
            || preg_match(self::BINARY, $response->header('Content-Type')) === 1
            || preg_match('//u', $response->body) !== 1;
    }

    /** @return array<string, list<string>> */
    private static function lists(CgiResponse $response): array
    {
        $names = [];
        $lists = [];
        foreach ($response->fields as [$name, $value]) {
            $name = $names[strtolower($name)] ??= self::name($name);
            $lists[$name][] = self::text($value);
        }

        return $lists;
    }

    /**
     * Payload format 2.0: values joined, cookies apart.
     *
     * @return array<string, mixed>
     */
    private static function joined(CgiResponse $response): array
    {
        $lists = self::lists($response);
        $cookies = $lists['Set-Cookie'] ?? [];
        unset($lists['Set-Cookie']);
        $result = ['headers' => self::object(array_map(static fn (array $v) => implode(', ', $v), $lists))];

        return $cookies === [] ? $result : $result + ['cookies' => $cookies];
    }

    /**
     * One value for each name. Cookies cannot be joined; each gets a spelling of the name of its own
     * (Set-Cookie, set-Cookie, SEt-Cookie ...), which is how the senders that know this form take several.
     *
     * @return array<string, string>
     */
    private static function single(CgiResponse $response): array
    {
        $headers = [];
        foreach (self::lists($response) as $name => $values) {
            if ($name !== 'Set-Cookie') {
                $headers[$name] = implode(', ', $values);
                continue;
            }
            foreach ($values as $index => $value) {
                $headers[self::spelling($index)] = $value;
            }
        }

        return $headers;
    }

    /** The letters of `Set-Cookie` in the other case where `$index` has a bit. */
    private static function spelling(int $index): string
    {
        $letters = str_split('Set-Cookie');
        $bit = 0;
        foreach ($letters as $position => $letter) {
            if ($letter !== '-') {
                $letters[$position] = ($index >> $bit++) & 1 ? $letter ^ ' ' : $letter;
            }
        }

        return implode('', $letters);
    }

    /** content-type → Content-Type */
    private static function name(string $name): string
    {
        return self::text(ucwords(strtolower($name), '-'));
    }

    /** Header values may be Latin-1; JSON is UTF-8. */
    private static function text(string $value): string
    {
        if (preg_match('//u', $value) === 1) {
            return $value;
        }

        return (string) preg_replace_callback(
            '/[\x80-\xff]/',
            static fn (array $match) => chr(0xC0 | ord($match[0]) >> 6) . chr(0x80 | ord($match[0]) & 0x3F),
            $value,
        );
    }

    /** @param array<string, mixed> $map */
    private static function object(array $map): array|stdClass
    {
        return $map === [] ? new stdClass() : $map;
    }
}
