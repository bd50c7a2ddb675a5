<?php

declare(strict_types=1);

namespace RuntimeBuilder\Handler;

use Generator;
use RuntimeBuilder\Api\Invocation;
use RuntimeBuilder\Context;
use RuntimeBuilder\Environment;
use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\Json;
use RuntimeBuilder\Runner;
use RuntimeBuilder\Setting;
use RuntimeBuilder\StreamedResponse;
use RuntimeBuilder\Streaming\Body;

use function function_exists;
use function get_debug_type;
use function set_time_limit;

/** Calls the project's handler in this process: `handler(event, Context): result`. */
final class FunctionRunner implements Runner
{
    private ?Handler $handler = null;
    private bool $streams = false;

    public function start(): void
    {
        $this->streams = Setting::flag('RUNTIMEBUILDER_STREAMING');
        $locator = new HandlerLocator(Environment::taskRoot());
        $this->handler = new Handler($locator->locate(Environment::handler()));
    }

    public function run(Invocation $invocation): string|Body
    {
        assert($this->handler !== null);
        try {
            $event = $this->handler->decode($invocation->event);
        } catch (\JsonException $error) {
            throw new InvocationFailure(
                'Runtime.UnmarshalError',
                'the event is not JSON that PHP can read: ' . $error->getMessage(),
            );
        }
        $result = $this->handler->call($event, Context::of($invocation));
        unset($event);
        if ($result instanceof Body) {
            return $result;
        }
        if ($result instanceof StreamedResponse || $result instanceof Generator) {
            return $this->stream($result);
        }
        try {
            return Json::encode($result);
        } catch (\JsonException $error) {
            throw new InvocationFailure(
                'Runtime.MarshalError',
                'the handler\'s result (' . get_debug_type($result) . ') cannot be written as JSON: '
                    . $error->getMessage()
                    . ($error->getCode() === JSON_ERROR_UTF8 ? '; base64-encode what is not text' : ''),
            );
        }
    }

    /** @param StreamedResponse|Generator<mixed> $result */
    private function stream(StreamedResponse|Generator $result): Body
    {
        if (!$this->streams) {
            throw new InvocationFailure(
                'Runtime.StreamingNotEnabled',
                'the handler returned ' . get_debug_type($result) . ', which is to be streamed; set'
                    . ' RUNTIMEBUILDER_STREAMING=on (in the spec: php: {streaming: true}) if its caller takes streams',
            );
        }
        if ($result instanceof Generator) {
            return Body::ofBytes($result, 'application/octet-stream');
        }

        return $result->http === null
            ? Body::ofBytes($result->pieces, $result->contentType)
            : Body::ofHttp($result->http, $result->pieces);
    }

    public function settle(): void
    {
        // set_time_limit() in a handler counts on between events and would end the process in a later one.
        if (function_exists('set_time_limit')) {
            set_time_limit(0);
        }
    }

    public function stop(): void
    {
    }
}
