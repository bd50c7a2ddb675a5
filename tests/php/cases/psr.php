<?php

declare(strict_types=1);

use Nyholm\Psr7\Factory\Message;
use Nyholm\Psr7\Factory\Stream;
use Psr\Http\Server\RequestHandlerInterface;
use RuntimeBuilder\Api\Invocation;
use RuntimeBuilder\Context;
use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\Psr\Multipart;
use RuntimeBuilder\Psr\RequestHandler;
use RuntimeBuilder\Streaming\Body;
use RuntimeBuilder\Tests\Results;

require_once dirname(__DIR__) . '/psr.php';

$context = Context::of(new Invocation('id-1', '{}', 1_700_000_000_000));
$event = static fn (array $more = []): array => $more + [
    'version' => '2.0',
    'rawPath' => '/a b',
    'rawQueryString' => 'x[]=1&x[]=2&y.z=3',
    'headers' => ['host' => 'shop.example', 'x-forwarded-proto' => 'https'],
    'cookies' => ['a=1', 'b=two+%2B+2'],
    'requestContext' => ['http' => ['method' => 'POST', 'sourceIp' => '192.0.2.1', 'protocol' => 'HTTP/1.1']],
];
$handler = static fn (Closure $handle): RequestHandler => new RequestHandler(
    new class ($handle) implements RequestHandlerInterface {
        public function __construct(private readonly Closure $handle)
        {
        }

        public function handle(object $request): object
        {
            return ($this->handle)($request);
        }
    },
);
$answer = static fn (array $headers = [], string $body = 'ok', int $status = 200): Message => new Message([
    'StatusCode' => $status, 'Headers' => $headers, 'Body' => new Stream($body),
]);
$seen = static function (array $event) use ($handler, $context, $answer): Message {
    $request = null;
    $handler(static function (object $given) use (&$request, $answer): object {
        $request = $given;

        return $answer();
    })($event, $context);

    return $request;
};
$form = "--B\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nGr\u{fc}n\r\n"
    . "--B\r\nContent-Disposition: form-data; name=\"list[]\"\r\n\r\na\r\n"
    . "--B\r\nContent-Disposition: form-data; name=\"list[]\"\r\n\r\nb\r\n\r\nc\r\n"
    . "--B\r\ncontent-disposition: form-data; name=\"docs[first]\"; filename=\"a \\\"b\\\".txt\"\r\n"
    . "Content-Type: text/plain\r\n\r\n\x00\xff--B\r\n"
    . "--B\r\nContent-Disposition: form-data; name=\"none\"; filename=\"\"\r\n\r\n\r\n"
    . "--B--\r\nafter";

return [
    'an event becomes a request' => static function (Results $t) use ($seen, $event, $context): void {
        $request = $seen($event(['body' => 'Zg==', 'isBase64Encoded' => true]));
        $t->same('POST', $request->getMethod());
        $t->same('https://shop.example/a%20b?x[]=1&x[]=2&y.z=3', $request->getUri());
        $t->same('1.1', $request->getProtocolVersion());
        $t->same(['x' => ['1', '2'], 'y_z' => '3'], $request->getQueryParams());
        $t->same(['a' => '1', 'b' => 'two + 2'], $request->getCookieParams());
        $t->same('shop.example', $request->getHeader('host'));
        $t->same('f', (string) $request->getBody());
        $t->same(['192.0.2.1', 'on'], [$request->getServerParams()['REMOTE_ADDR'], $request->getServerParams()['HTTPS']]);
        $t->same($context, $request->getAttribute('lambda-context'));
        $t->same('/a b', $request->getAttribute('lambda-event')['rawPath']);
        $t->same(null, $request->getParsedBody());
    },
    'a form is parsed' => static function (Results $t) use ($seen, $event): void {
        $headers = ['content-type' => 'application/x-www-form-urlencoded; charset=utf-8'];
        $t->same(['a' => ['1'], 'b' => '2'], $seen($event(['headers' => $headers, 'body' => 'a[]=1&b=2']))->getParsedBody());
    },
    'a form with files is parsed' => static function (Results $t) use ($seen, $event, $form): void {
        $headers = ['content-type' => 'multipart/form-data; boundary=B'];
        $request = $seen($event(['headers' => $headers, 'body' => base64_encode($form), 'isBase64Encoded' => true]));
        $t->same(['text' => "Gr\u{fc}n", 'list' => ['a', "b\r\n\r\nc"]], $request->getParsedBody());
        $t->same(['docs'], array_keys($request->getUploadedFiles()));
        $file = $request->getUploadedFiles()['docs']['first'];
        $t->same(['a "b".txt', 'text/plain', 5], [$file->getClientFilename(), $file->getClientMediaType(), $file->getSize()]);
        $t->same("\x00\xff--B", (string) $file->getStream());
    },
    'a form that is none has no fields' => static function (Results $t) use ($form): void {
        $t->same([], Multipart::parse('multipart/form-data', $form)->fields);
        $t->same([], Multipart::parse('multipart/form-data; boundary=X', $form)->fields);
        $t->same(['text'], array_keys(Multipart::parse('multipart/form-data; boundary="B"', substr($form, 0, 70))->fields));
    },
    'a response becomes the result' => static function (Results $t) use ($handler, $event, $answer, $context): void {
        $headers = ['Set-Cookie' => ['a=1', 'b=2'], 'X-Tag' => ['1', '2']];
        $result = $handler(static fn (): object => $answer($headers, "\xff", 201))($event(), $context);
        $t->same([201, true, '/w=='], [$result['statusCode'], $result['isBase64Encoded'], $result['body']]);
        $t->same([['a=1', 'b=2'], '1, 2'], [$result['cookies'], ((array) $result['headers'])['X-Tag']]);
    },
    'a response is streamed where the function says so' => static function (Results $t) use ($handler, $event, $answer, $context): void {
        putenv('RUNTIMEBUILDER_STREAMING=on');
        try {
            $body = $handler(static fn (): object => $answer([], str_repeat('x', 100_000)))($event(), $context);
        } finally {
            putenv('RUNTIMEBUILDER_STREAMING');
        }
        assert($body instanceof Body);
        $t->same(Body::HTTP, $body->contentType);
        $t->same([65536, 34464], array_map('strlen', iterator_to_array($body->payload(), false)));
    },
    'another event is told' => static fn (Results $t) => $t->throws(
        InvocationFailure::class,
        'its keys are: Records',
        static fn () => $handler(static fn (): object => $answer())(['Records' => []], $context),
    ),
];
