<?php

declare(strict_types=1);

namespace RuntimeBuilder\Handler;

use RuntimeBuilder\Api\Invocation;
use RuntimeBuilder\Context;
use RuntimeBuilder\Environment;
use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\Json;
use RuntimeBuilder\Runner;

/** Calls the project's handler in this process: `handler(event, Context): result`. */
final class FunctionRunner implements Runner
{
    private ?Handler $handler = null;

    public function start(): void
    {
        $locator = new HandlerLocator(Environment::taskRoot());
        $this->handler = new Handler($locator->locate(Environment::handler()));
    }

    public function run(Invocation $invocation): string
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
