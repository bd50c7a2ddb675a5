<?php

declare(strict_types=1);

namespace RuntimeBuilder\State;

use Closure;
use Generator;
use RuntimeBuilder\ErrorReport;
use RuntimeBuilder\ReportedFailure;
use RuntimeBuilder\Streaming\Body;

/** What another process of ours tells, as it would be here. */
final class Relay
{
    /** @param string $content of a message of the kind FAILURE */
    public static function failure(string $content): ReportedFailure
    {
        $report = unserialize($content, ['allowed_classes' => [ErrorReport::class]]);
        assert($report instanceof ErrorReport);

        return new ReportedFailure($report);
    }

    /**
     * @param string $head content of a message of the kind STREAM
     * @param Closure(): array{string, string} $next the messages after it; throws when the process has died
     */
    public static function body(string $head, Closure $next): Body
    {
        /** @var array{string, string} $parts */
        $parts = unserialize($head, ['allowed_classes' => false]);

        return Body::withHead($parts, self::pieces($next));
    }

    /**
     * @param Closure(): array{string, string} $next
     * @return Generator<int, string>
     */
    private static function pieces(Closure $next): Generator
    {
        for ($message = $next(); $message[0] === Channel::PIECE; $message = $next()) {
            yield $message[1];
        }
        if ($message[0] === Channel::FAILURE) {
            throw self::failure($message[1]);
        }
    }
}
