<?php

declare(strict_types=1);

/* The probe as an event handler: the event is the command, the result is returned. */

require_once __DIR__ . '/probe.php';

return static function ($event, $context) {
    return probe($event, [
        'request_id' => $context->requestId,
        'deadline_ms' => $context->deadlineMs,
        'remaining_ms' => $context->remainingTimeMs(),
        'function_arn' => $context->functionArn,
        'client_context' => $context->clientContext,
        'cognito_identity' => $context->cognitoIdentity,
        'tenant_id' => $context->tenantId,
    ]);
};
