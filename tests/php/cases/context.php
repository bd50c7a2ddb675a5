<?php

declare(strict_types=1);

use RuntimeBuilder\Api\Invocation;
use RuntimeBuilder\Context;
use RuntimeBuilder\Tests\Results;

return [
    'the remaining time is computed each time' => static function (Results $t): void {
        $context = Context::of(new Invocation('id', '', (int) (microtime(true) * 1000) + 3000));
        $first = $context->remainingTimeMs();
        $t->same(true, $first > 2900 && $first <= 3000, "first: $first");
        usleep(20_000);
        $t->same(true, $first - $context->remainingTimeMs() >= 19, 'it falls');
    },
    'without a deadline no time is left' => static fn (Results $t) => $t->same(0, Context::of(new Invocation('id', ''))->remainingTimeMs()),
    'what is not sent is null' => static function (Results $t): void {
        $context = Context::of(new Invocation('id', ''));
        $t->same([null, null, null, null], [$context->clientContext, $context->cognitoIdentity, $context->tenantId, $context->traceId]);
    },
    'client context and identity are parsed' => static function (Results $t): void {
        $context = Context::of(new Invocation('id', '', null, '', null, '{"custom":{"é":1}}', '{"cognitoIdentityId":"x"}', 'blue'));
        $t->same(['custom' => ['é' => 1]], $context->clientContext);
        $t->same('x', $context->cognitoIdentity['cognitoIdentityId']);
        $t->same('blue', $context->tenantId);
    },
];
