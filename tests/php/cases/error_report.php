<?php

declare(strict_types=1);

use RuntimeBuilder\ErrorReport;
use RuntimeBuilder\InitFailure;
use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\Tests\Results;

final class Über_Fehler extends Exception
{
}

$header = static fn (Throwable $error): string => ErrorReport::of($error)->headers()['Lambda-Runtime-Function-Error-Type'];
$body = static fn (Throwable $error): array => json_decode(ErrorReport::of($error)->json(), true, 512, JSON_THROW_ON_ERROR);

return [
    'message, type and trace are strings' => static function (Results $t) use ($body): void {
        $seen = $body(new DomainException('no "luck"'));
        $t->same(['errorMessage', 'errorType', 'stackTrace'], array_keys($seen));
        $t->same('no "luck"', $seen['errorMessage']);
        $t->same('DomainException', $seen['errorType']);
        $t->same([], array_filter($seen['stackTrace'], static fn ($line) => !is_string($line)));
        $t->same(basename(__FILE__), basename(explode(':', $seen['stackTrace'][0])[0]));
    },
    'the header names category and class' => static function (Results $t) use ($header): void {
        $t->same('Function.DomainException', $header(new DomainException()));
        $t->same('Function.JsonException', $header(new JsonException()));
        $t->same('Function.BerFehler', $header(new Über_Fehler()), 'ASCII letters only');
        $t->same('Function.Exceptionanonymous', $header(new class () extends Exception {}));
        $t->same('Runtime.Exception', ErrorReport::of(new Exception(), 'Runtime')->headers()['Lambda-Runtime-Function-Error-Type']);
    },
    'failures of our own keep their type' => static function (Results $t) use ($header, $body): void {
        $t->same('Runtime.HandlerNotFound', $header(new InitFailure('HandlerNotFound', 'x')));
        $t->same('Function.Timeout', $header(new InvocationFailure('Function.Timeout', 'x')));
        $t->same('Function.Timeout', $body(new InvocationFailure('Function.Timeout', 'x'))['errorType']);
    },
    'no header holds a control character' => static function (Results $t): void {
        foreach (ErrorReport::of(new Über_Fehler("a\r\nX-Evil: 1"))->headers() as $value) {
            $t->same(1, preg_match('/^[\x21-\x7e ]+$/D', $value), $value);
        }
    },
    'a message in no known encoding is reported' => static fn (Results $t) => $t->same(
        "a\u{FFFD}b",
        $body(new Exception("a\xffb"))['errorMessage'],
    ),
    'a message with control characters is JSON' => static fn (Results $t) => $t->same(
        "\x01\t\n\u{1F642}\0",
        $body(new Exception("\x01\t\n\u{1F642}\0"))['errorMessage'],
    ),
    'a huge message is cut below 256 KB' => static function (Results $t): void {
        foreach (['m', "\x01", 'é', "\xff", '"'] as $character) {
            $json = ErrorReport::of(new Exception(str_repeat($character, 3_000_000)))->json();
            $t->same(true, strlen($json) < 256_000, strlen($json) . " bytes of '$character'");
            $t->same(true, strlen($json) > 10_000, 'not everything is gone');
            json_decode($json, true, 512, JSON_THROW_ON_ERROR);
        }
    },
    'a cut leaves no half character' => static function (Results $t) use ($body): void {
        foreach (['', 'a', 'aa', 'aaa'] as $shift) {
            $message = $body(new Exception($shift . str_repeat('🙂', 30_000)))['errorMessage'];
            $t->same(false, str_contains($message, "\u{FFFD}"));
        }
    },
    'a cause is in the trace' => static function (Results $t) use ($body): void {
        $trace = $body(new LogicException('outer', 0, new RangeException('inner')))['stackTrace'];
        $t->same(true, in_array('caused by RangeException: inner', $trace, true), implode("\n", $trace));
    },
    'a fatal error is split into message and trace' => static function (Results $t): void {
        $report = ErrorReport::ofFatal(['type' => E_ERROR, 'message' => "Uncaught X: y in f:1\nStack trace:\n#0 {main}", 'file' => '/f', 'line' => 1]);
        $seen = json_decode($report->json(), true);
        $t->same('Uncaught X: y in f:1', $seen['errorMessage']);
        $t->same('Function.FatalError', $seen['errorType']);
        $t->same('/f:1', $seen['stackTrace'][0]);
    },
    'memory that ran out has a type of its own' => static fn (Results $t) => $t->same(
        'Function.OutOfMemory',
        ErrorReport::ofFatal(['type' => E_ERROR, 'message' => 'Allowed memory size of 1 bytes exhausted', 'file' => '/f', 'line' => 1])->headers()['Lambda-Runtime-Function-Error-Type'],
    ),
    'the cause for X-Ray: one line of ASCII, outermost first' => static function (Results $t): void {
        $error = new LogicException("outer\nü\x7f", 0, new RangeException('inner'));
        $header = ErrorReport::of($error)->headers()['Lambda-Runtime-Function-XRay-Error-Cause'];
        $t->same(1, preg_match('/^[\x20-\x7e]+$/D', $header), $header);
        $cause = json_decode($header, true, 512, JSON_THROW_ON_ERROR);
        $t->same(['working_directory', 'exceptions', 'paths'], array_keys($cause));
        $t->same(['LogicException', 'RangeException'], array_column($cause['exceptions'], 'type'));
        $t->same("outer\nü\x7f", $cause['exceptions'][0]['message']);
        $t->same(['path', 'line', 'label'], array_keys($cause['exceptions'][0]['stack'][0]));
        $t->same(__FILE__, $cause['paths'][0]);
    },
    'a cause that is too long for a header is left out' => static function (Results $t): void {
        $errors = null;
        for ($i = 0; $i < 5; $i++) {
            $errors = new Exception(str_repeat("\u{1F642}", 10_000), 0, $errors);
        }
        $header = ErrorReport::of($errors)->headers()['Lambda-Runtime-Function-XRay-Error-Cause'] ?? '';
        $t->same(true, strlen($header) <= 60_000, strlen($header) . ' bytes');
    },
    'a failure of our own has no cause' => static fn (Results $t) => $t->same(
        ['Content-Type', 'Lambda-Runtime-Function-Error-Type'],
        array_keys(ErrorReport::of(new InitFailure('HandlerNotFound', 'x'))->headers()),
    ),
];
