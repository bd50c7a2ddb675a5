<?php

declare(strict_types=1);

namespace RuntimeBuilder\Handler;

use ArrayObject;
use Closure;
use ReflectionFunction;
use ReflectionNamedType;
use RuntimeBuilder\Context;
use RuntimeBuilder\Json;

/**
 * The project's callable and what it wants its event to be.
 *
 * `array $event` gets an array even for `{}`; `object $event` or `stdClass $event` gets objects all the way
 * down; otherwise see Json.
 */
final class Handler
{
    private readonly string $eventType;

    public function __construct(private readonly Closure $function)
    {
        $parameter = (new ReflectionFunction($function))->getParameters()[0] ?? null;
        $type = $parameter?->getType();
        $this->eventType = $type instanceof ReflectionNamedType ? $type->getName() : '';
    }

    /** @throws \JsonException */
    public function decode(string $json): mixed
    {
        if ($this->eventType === 'object' || $this->eventType === 'stdClass') {
            return Json::decodeToObjects($json);
        }
        $event = Json::decode($json);

        return $this->eventType === 'array' && $event instanceof ArrayObject ? $event->getArrayCopy() : $event;
    }

    public function call(mixed $event, Context $context): mixed
    {
        return ($this->function)($event, $context);
    }
}
