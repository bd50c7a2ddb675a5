<?php

declare(strict_types=1);

namespace RuntimeBuilder\Web;

/** Who sent the request, and with that the form of event and answer. */
enum EventForm
{
    /** API Gateway REST API, or HTTP API with payload format 1.0. */
    case ApiGatewayV1;

    /** API Gateway HTTP API with payload format 2.0, and function URLs. */
    case ApiGatewayV2;

    /** Application Load Balancer. */
    case LoadBalancer;
}
