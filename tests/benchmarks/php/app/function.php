<?php

declare(strict_types=1);

return static fn ($event) => is_array($event) ? ['hello' => $event['name']] : $event;
