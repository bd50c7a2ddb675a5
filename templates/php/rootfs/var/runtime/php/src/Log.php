<?php

declare(strict_types=1);

namespace RuntimeBuilder;

/**
 * The function's log: what is written to stderr, one line a record. As text, with the request id before a tab; or as
 * JSON where the function is configured so (AWS_LAMBDA_LOG_FORMAT, AWS_LAMBDA_LOG_LEVEL).
 */
final class Log
{
    public const DEBUG = 'DEBUG';
    public const INFO = 'INFO';
    public const WARN = 'WARN';
    public const ERROR = 'ERROR';

    private const LEVELS = ['TRACE' => 0, 'DEBUG' => 1, 'INFO' => 2, 'WARN' => 3, 'ERROR' => 4, 'FATAL' => 5];
    private const JSON = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE;

    /** Bytes of a line that has no end: it is written when it is longer. */
    private const LINE_LIMIT = 200_000;

    /** How PHP begins its messages. */
    private const SEVERITY = '/^PHP (?:(?<error>Fatal|Recoverable|Parse|Core|Compile)|(?<warn>Warning)|Notice|Depr)/';

    /** @var resource|null our own handle: a handler may close STDERR */
    private static $stderr = null;
    private static ?bool $isJson = null;
    private static int $least = 0;
    private static ?string $requestId = null;
    private static string $unfinished = '';

    /** The event that is handled now, which what is logged belongs to; null: none. */
    public static function event(?string $requestId): void
    {
        self::$requestId = $requestId;
    }

    /**
     * One record: line breaks in `$message` are kept out of it.
     *
     * @param array<string, mixed> $more members of the record where it is JSON
     */
    public static function line(string $message, string $level = self::WARN, array $more = []): void
    {
        if (self::isJson()) {
            self::record($message, $level, $more);

            return;
        }
        $before = self::$requestId === null ? '' : self::$requestId . "\t";
        self::raw($before . str_replace(["\r\n", "\n", "\r"], ' | ', $message) . "\n");
    }

    /** Messages of PHP's own, as PHP-FPM passes them on: each is one record, its level is its first word. */
    public static function messages(string $text): void
    {
        foreach (preg_split('/^PHP message: /m', $text, -1, PREG_SPLIT_NO_EMPTY) ?: [] as $message) {
            $message = rtrim($message, "\n");
            if (self::isJson() && self::isObject($message)) {
                self::raw("$message\n"); // an application that logs JSON by itself
            } elseif ($message !== '') {
                self::line($message, self::severity($message));
            }
        }
    }

    /**
     * Output of the project's code as it comes: as it is where the log is text, else a record for each line. Lines that
     * are JSON objects already stay as they are.
     */
    public static function output(string $bytes): void
    {
        if (!self::isJson()) {
            self::raw($bytes);

            return;
        }
        $lines = explode("\n", self::$unfinished . $bytes);
        self::$unfinished = (string) array_pop($lines);
        if (strlen(self::$unfinished) > self::LINE_LIMIT) {
            $lines[] = self::$unfinished;
            self::$unfinished = '';
        }
        foreach ($lines as $line) {
            self::outputLine(rtrim($line, "\r"));
        }
    }

    /** The output of an event is complete: what has no line break yet is written. */
    public static function endOutput(): void
    {
        if (self::$unfinished !== '') {
            self::outputLine(self::$unfinished);
            self::$unfinished = '';
        }
    }

    public static function isJson(): bool
    {
        if (self::$isJson === null) {
            self::$isJson = strtoupper((string) getenv('AWS_LAMBDA_LOG_FORMAT')) === 'JSON';
            $level = strtoupper((string) getenv('AWS_LAMBDA_LOG_LEVEL'));
            self::$least = self::LEVELS[$level] ?? 0;
        }

        return self::$isJson;
    }

    /** Reads the configuration again. */
    public static function reset(): void
    {
        self::$isJson = null;
        self::$requestId = null;
        self::$unfinished = '';
    }

    private static function outputLine(string $line): void
    {
        if (self::isObject($line)) {
            self::raw("$line\n");
        } elseif ($line !== '') {
            self::record($line, self::severity($line), []);
        }
    }

    private static function isObject(string $line): bool
    {
        return str_starts_with($line, '{') && str_ends_with($line, '}') && is_array(json_decode($line, true));
    }

    private static function severity(string $message): string
    {
        if (preg_match(self::SEVERITY, $message, $match) !== 1) {
            return self::INFO;
        }

        return ($match['error'] ?? '') !== '' ? self::ERROR : (($match['warn'] ?? '') !== '' ? self::WARN : self::INFO);
    }

    /** @param array<string, mixed> $more */
    private static function record(string $message, string $level, array $more): void
    {
        if (self::LEVELS[$level] < self::$least) {
            return;
        }
        $now = microtime(true);
        $record = [
            'timestamp' => gmdate('Y-m-d\TH:i:s', (int) $now) . sprintf('.%03dZ', (int) (($now - (int) $now) * 1000)),
            'level' => $level,
            'message' => $message,
        ];
        if (self::$requestId !== null) {
            $record['requestId'] = self::$requestId;
        }
        self::raw(json_encode($record + $more, self::JSON) . "\n");
    }

    private static function raw(string $bytes): void
    {
        if (self::$stderr === null) {
            $handle = fopen('php://stderr', 'wb');
            if ($handle === false) {
                return;
            }
            self::$stderr = $handle;
        }
        // Nobody may be reading any more; that is no reason to fail.
        Quietly::call(static fn () => self::$stderr === null ? 0 : fwrite(self::$stderr, $bytes));
    }
}
