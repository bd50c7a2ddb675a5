<?php

declare(strict_types=1);

namespace RuntimeBuilder\Psr;

use Generator;
use RuntimeBuilder\Context;
use RuntimeBuilder\Environment;
use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\Setting;
use RuntimeBuilder\Streaming\Body;
use RuntimeBuilder\Web\CgiResponse;
use RuntimeBuilder\Web\FastCgiParameters;
use RuntimeBuilder\Web\HttpEvent;
use RuntimeBuilder\Web\HttpResult;
use RuntimeBuilder\Web\UnknownEvent;

/**
 * A PSR-15 request handler as a function: HTTP events become PSR-7 requests, its responses the results. The event and
 * the context are the request's attributes `lambda-event` and `lambda-context`.
 */
final class RequestHandler
{
    private const PIECE = 65536;

    private readonly Factories $factories;
    private readonly bool $streams;

    /** @param object $handler a Psr\Http\Server\RequestHandlerInterface */
    public function __construct(private readonly object $handler)
    {
        $this->factories = Factories::find();
        $this->streams = Setting::flag('RUNTIMEBUILDER_STREAMING');
    }

    /** @return array<string, mixed>|Body */
    public function __invoke(mixed $event, Context $context): array|Body
    {
        try {
            $http = HttpEvent::of($event);
        } catch (UnknownEvent $error) {
            throw new InvocationFailure('Runtime.UnknownEvent', $error->getMessage());
        }
        $response = $this->handler->handle($this->request($http, $event, $context));
        $fields = [];
        foreach ($response->getHeaders() as $name => $values) {
            foreach ($values as $value) {
                $fields[] = [(string) $name, $value];
            }
        }
        $result = new HttpResult($http);
        if ($this->streams && $http->takesStreams) {
            $head = $result->head(new CgiResponse($response->getStatusCode(), $fields, ''));

            return Body::ofHttp($head, self::pieces($response->getBody()));
        }

        return $result->of(new CgiResponse($response->getStatusCode(), $fields, (string) $response->getBody()));
    }

    private function request(HttpEvent $http, mixed $event, Context $context): object
    {
        $parameters = new FastCgiParameters(Environment::taskRoot() . '/' . Environment::handler());
        $server = $parameters->of($http, $context) + [
            'REQUEST_TIME' => time(),
            'REQUEST_TIME_FLOAT' => microtime(true),
        ];
        $host = $http->headers['host'] ?? 'localhost';
        $uri = $server['REQUEST_SCHEME'] . "://$host" . $server['REQUEST_URI'];
        $request = $this->factories->request->createServerRequest($http->method, $uri, $server)
            ->withProtocolVersion(explode('/', $http->protocol)[1] ?? '1.1');
        foreach ($http->headers as $name => $value) {
            $request = $request->withHeader((string) $name, $value);
        }
        parse_str($http->query, $query);
        $request = $request
            ->withQueryParams($query)
            ->withCookieParams(self::cookies($http->headers['cookie'] ?? ''))
            ->withBody($this->factories->stream->createStream($http->body))
            ->withAttribute('lambda-event', $event)
            ->withAttribute('lambda-context', $context);

        return $this->withForm($request, $http);
    }

    private function withForm(object $request, HttpEvent $http): object
    {
        $type = $http->headers['content-type'] ?? '';
        if (stripos($type, 'application/x-www-form-urlencoded') === 0) {
            parse_str($http->body, $fields);

            return $request->withParsedBody($fields);
        }
        if (stripos($type, 'multipart/form-data') !== 0) {
            return $request;
        }
        $form = Multipart::parse($type, $http->body);
        $files = $form->files(fn (string $content, string $name, string $media): object
            => $this->factories->file->createUploadedFile(
                $this->factories->stream->createStream($content),
                strlen($content),
                UPLOAD_ERR_OK,
                $name,
                $media,
            ));

        return $request->withParsedBody($form->fields)->withUploadedFiles($files);
    }

    /** @return array<string, string> */
    private static function cookies(string $header): array
    {
        $cookies = [];
        foreach (explode(';', $header) as $pair) {
            [$name, $value] = explode('=', trim($pair), 2) + [1 => ''];
            if ($name !== '') {
                $cookies[urldecode($name)] = urldecode($value);
            }
        }

        return $cookies;
    }

    /** @return Generator<int, string> */
    private static function pieces(object $body): Generator
    {
        if ($body->isSeekable()) {
            $body->rewind();
        }
        while (!$body->eof()) {
            yield $body->read(self::PIECE);
        }
    }
}
