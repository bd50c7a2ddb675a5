<?php

declare(strict_types=1);

use RuntimeBuilder\Handler\Handler;
use RuntimeBuilder\Tests\Results;

return [
    'array $event gets an array for {}' => static fn (Results $t) => $t->same(
        [],
        (new Handler(static fn (array $event) => $event))->decode('{}'),
    ),
    'object $event gets objects' => static fn (Results $t) => $t->same(
        stdClass::class,
        (new Handler(static fn (object $event) => $event))->decode('{"a":{}}')->a::class,
    ),
    'an untyped event keeps {} apart from []' => static fn (Results $t) => $t->same(
        ArrayObject::class,
        (new Handler(static fn ($event) => $event))->decode('{}')::class,
    ),
    'a handler without parameters is fine' => static fn (Results $t) => $t->same(
        7,
        (new Handler(static fn () => 7))->decode('7'),
    ),
];
