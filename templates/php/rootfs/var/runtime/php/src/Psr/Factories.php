<?php

declare(strict_types=1);

namespace RuntimeBuilder\Psr;

use RuntimeBuilder\InitFailure;

/**
 * The PSR-17 factories that the application brings. None is named as a type here: the runtime client is in images
 * without them.
 */
final class Factories
{
    /** Server request, stream, uploaded file. */
    private const KNOWN = [
        ['Nyholm\Psr7\Factory\Psr17Factory'],
        ['GuzzleHttp\Psr7\HttpFactory'],
        [
            'Laminas\Diactoros\ServerRequestFactory',
            'Laminas\Diactoros\StreamFactory',
            'Laminas\Diactoros\UploadedFileFactory',
        ],
        [
            'Slim\Psr7\Factory\ServerRequestFactory',
            'Slim\Psr7\Factory\StreamFactory',
            'Slim\Psr7\Factory\UploadedFileFactory',
        ],
        [
            'HttpSoft\Message\ServerRequestFactory',
            'HttpSoft\Message\StreamFactory',
            'HttpSoft\Message\UploadedFileFactory',
        ],
    ];

    private function __construct(
        public readonly object $request,
        public readonly object $stream,
        public readonly object $file,
    ) {
    }

    /** @throws InitFailure when the application has none of the packages that are known here */
    public static function find(): self
    {
        foreach (self::KNOWN as $classes) {
            if (array_filter($classes, 'class_exists') === $classes) {
                $made = array_map(static fn (string $class): object => new $class(), $classes);

                return new self($made[0], $made[1] ?? $made[0], $made[2] ?? $made[0]);
            }
        }
        throw new InitFailure(
            'NoPsr17Factory',
            'the handler is a PSR-15 request handler, and there is nothing that makes PSR-7 requests for it: require'
                . ' one of nyholm/psr7, guzzlehttp/psr7, laminas/laminas-diactoros, slim/psr7, httpsoft/http-message',
        );
    }
}
