<?php

declare(strict_types=1);

namespace RuntimeBuilder;

final class Version
{
    public const CLIENT = '0.1.0';

    /** `product/version` twice, always the same for one image (the environment keeps 128 characters of it). */
    public static function userAgent(): string
    {
        return sprintf(
            'runtimebuilder-php/%s php/%d.%d.%d',
            self::CLIENT,
            PHP_MAJOR_VERSION,
            PHP_MINOR_VERSION,
            PHP_RELEASE_VERSION,
        );
    }
}
