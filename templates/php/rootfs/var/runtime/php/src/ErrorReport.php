<?php

declare(strict_types=1);

namespace RuntimeBuilder;

/**
 * A failure in the form that Lambda takes: ErrorRequest of the Runtime API's OpenAPI document 1.0.3
 * (`errorMessage`, `errorType`, `stackTrace` as strings) and its headers.
 */
final class ErrorReport
{
    /** Bytes. The smallest limit among the places that a report passes through is 256 KB. */
    private const BODY_LIMIT = 250_000;
    private const MESSAGE_LIMIT = 64_000;
    private const TRACE_LINES = 100;

    /** Bytes. The emulator of AWS crops the header at 64 KB, and many HTTP servers refuse more. */
    private const XRAY_LIMIT = 60_000;
    private const XRAY_FRAMES = 50;
    private const XRAY_MESSAGE = 2_000;
    private const LINE_LIMIT = 1_000;
    private const JSON = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE;

    /**
     * @param list<string> $stackTrace
     * @param list<array{type: string, message: string, stack: list<array<string, int|string>>}> $causes for X-Ray
     */
    private function __construct(
        private readonly string $category,
        private readonly string $type,
        private readonly string $message,
        private readonly array $stackTrace,
        private readonly array $causes = [],
    ) {
    }

    /** @param string $category `Function` for an invocation, `Runtime` for a start */
    public static function of(\Throwable $error, string $category = 'Function'): self
    {
        if ($error instanceof ReportedFailure) {
            return $error->report;
        }
        if ($error instanceof Reportable) {
            $cause = $error->getPrevious();

            return new self(
                '',
                $error->errorType(),
                $error->getMessage(),
                $cause === null ? [] : self::trace($cause),
                $cause === null ? [] : self::causes($cause),
            );
        }

        return new self(
            $category,
            self::className($error),
            $error->getMessage(),
            self::trace($error),
            self::causes($error),
        );
    }

    /** @param array{type: int, message: string, file: string, line: int} $error of error_get_last() */
    public static function ofFatal(array $error, string $category = 'Function'): self
    {
        $type = str_starts_with($error['message'], 'Allowed memory size') ? 'OutOfMemory' : 'FatalError';
        // The message of an uncaught exception holds its trace after the first line.
        [$message, $rest] = explode("\n", $error['message'], 2) + [1 => ''];
        $trace = ["{$error['file']}:{$error['line']}", ...($rest === '' ? [] : explode("\n", $rest))];

        return new self('', "$category.$type", $message, $trace);
    }

    public function json(): string
    {
        $limit = self::MESSAGE_LIMIT;
        $trace = array_map(static fn (string $line) => self::cut($line, self::LINE_LIMIT), $this->stackTrace);
        $trace = array_slice($trace, 0, self::TRACE_LINES);
        do {
            $json = json_encode([
                'errorMessage' => self::cut($this->message, $limit),
                'errorType' => self::cut($this->type, self::LINE_LIMIT),
                'stackTrace' => $trace,
            ], self::JSON | JSON_THROW_ON_ERROR);
            // Escapes can make six bytes of one.
            $limit = intdiv($limit, 2);
            $trace = strlen($json) > self::BODY_LIMIT ? array_slice($trace, 0, intdiv(count($trace), 2)) : $trace;
        } while (strlen($json) > self::BODY_LIMIT);

        return $json;
    }

    /** `Category.Reason`, for the header or trailer. */
    public function type(): string
    {
        return $this->headerType();
    }

    /** @return array<string, string> */
    public function headers(): array
    {
        $cause = $this->xrayCause();

        return [
            'Content-Type' => 'application/vnd.aws.lambda.error+json',
            'Lambda-Runtime-Function-Error-Type' => $this->headerType(),
        ] + ($cause === null ? [] : ['Lambda-Runtime-Function-XRay-Error-Cause' => $cause]);
    }

    /** One record: `title`, and the report as JSON. */
    public function log(string $title): void
    {
        if (Log::isJson()) {
            Log::line($title, Log::ERROR, (array) json_decode($this->json(), true));
        } else {
            Log::line("$title\t" . $this->json(), Log::ERROR);
        }
    }

    /**
     * The failure as X-Ray shows it: the exception and those that caused it, outermost first; one line of ASCII. Null
     * when there is none, or it would be too long for a header.
     */
    private function xrayCause(): ?string
    {
        if ($this->causes === []) {
            return null;
        }
        $paths = array_column(array_merge(...array_column($this->causes, 'stack')), 'path');
        $json = json_encode([
            'working_directory' => Environment::taskRoot(),
            'exceptions' => $this->causes,
            'paths' => array_values(array_unique($paths)),
        ], JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE);

        // DEL is the one character of ASCII that JSON leaves as it is and a header cannot hold.
        return $json === false || strlen($json) > self::XRAY_LIMIT ? null : str_replace("\x7f", '\u007f', $json);
    }

    /** `Category.Reason` of ASCII letters and digits, as the environment wants it: `Function.LogicException`. */
    private function headerType(): string
    {
        if ($this->category === '') {
            return $this->type;
        }
        $position = strrpos($this->type, '\\');
        $name = $position === false ? $this->type : substr($this->type, $position + 1);
        $name = ucfirst(ltrim((string) preg_replace('/[^A-Za-z0-9]/', '', $name), '0..9'));

        return $this->category . '.' . (strlen($name) < 2 ? 'Error' : substr($name, 0, 100));
    }

    /**
     * Where it was thrown, the calls that led there without those of the runtime client, then its causes.
     *
     * @return list<string>
     */
    private static function trace(\Throwable $error): array
    {
        $trace = ["{$error->getFile()}:{$error->getLine()}"];
        foreach (explode("\n", $error->getTraceAsString()) as $line) {
            if (!str_contains($line, ' ' . dirname(__DIR__) . '/') && !str_ends_with($line, '{main}')) {
                $trace[] = $line;
            }
        }
        $cause = $error->getPrevious();
        if ($cause !== null) {
            $trace[] = 'caused by ' . self::className($cause) . ": {$cause->getMessage()}";
            array_push($trace, ...self::trace($cause));
        }

        return $trace;
    }

    /** @return list<array{type: string, message: string, stack: list<array<string, int|string>>}> outermost first */
    private static function causes(\Throwable $error): array
    {
        $causes = [];
        for ($one = $error; $one !== null && count($causes) < 5; $one = $one->getPrevious()) {
            $stack = [['path' => $one->getFile(), 'line' => $one->getLine(), 'label' => '']];
            foreach (array_slice($one->getTrace(), 0, self::XRAY_FRAMES) as $frame) {
                $path = $frame['file'] ?? '';
                if (!str_starts_with($path, dirname(__DIR__) . '/') && $path !== '') {
                    $label = ($frame['class'] ?? '') . ($frame['type'] ?? '') . $frame['function'];
                    $stack[] = ['path' => $path, 'line' => $frame['line'] ?? 0, 'label' => explode("\0", $label)[0]];
                }
            }
            $causes[] = [
                'type' => self::className($one),
                'message' => self::cut($one->getMessage(), self::XRAY_MESSAGE),
                'stack' => $stack,
            ];
        }

        return $causes;
    }

    /** The class's name; for an anonymous class what stands before the NUL byte and the path. */
    private static function className(\Throwable $error): string
    {
        return explode("\0", $error::class, 2)[0];
    }

    private static function cut(string $text, int $limit): string
    {
        if (strlen($text) <= $limit) {
            return $text;
        }
        // Do not leave half a character at the cut.
        $kept = (string) preg_replace('/[\xC0-\xFF][\x80-\xBF]{0,3}$/D', '', substr($text, 0, $limit));

        return $kept . ' … (' . strlen($text) . ' bytes in all)';
    }
}
