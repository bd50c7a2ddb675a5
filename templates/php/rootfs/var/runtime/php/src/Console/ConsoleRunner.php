<?php

declare(strict_types=1);

namespace RuntimeBuilder\Console;

use RuntimeBuilder\Api\Invocation;
use RuntimeBuilder\Context;
use RuntimeBuilder\Environment;
use RuntimeBuilder\InitFailure;
use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\Json;
use RuntimeBuilder\Net\Deadline;
use RuntimeBuilder\Runner;
use RuntimeBuilder\Setting;

/** Runs `php <handler> <arguments>` for each event; the answer is `{"exitCode": 0, "output": "..."}`. */
final class ConsoleRunner implements Runner
{
    private const NO_DEADLINE = 900.0;

    /** Bytes. Lambda takes 6 MB, and output may grow when it is written as JSON. */
    private const RESULT_LIMIT = 6_000_000;

    /** Bytes of output that go into an error's message. */
    private const MESSAGE_LIMIT = 32_000;

    private string $script = '';
    private bool $shell = false;
    private ?WarmConsole $warm = null;

    public function start(): void
    {
        $handler = Environment::handler();
        if (trim($handler) === '') {
            throw new InitFailure(
                'MalformedHandlerName',
                'no handler is set; name the script, for example bin/console',
            );
        }
        $this->script = str_starts_with($handler, '/') ? $handler : Environment::taskRoot() . "/$handler";
        if (!is_file($this->script)) {
            throw new InitFailure('NoSuchHandler', "the handler file {$this->script} does not exist");
        }
        $this->shell = Setting::flag('RUNTIMEBUILDER_SHELL');
        if (Setting::choice('RUNTIMEBUILDER_STATE', ['process', 'fork'], 'process') === 'fork') {
            $this->warm = new WarmConsole([PHP_BINARY, dirname(__DIR__, 2) . '/warm-console.php']);
            $this->warm->start();
        }
    }

    public function run(Invocation $invocation): string
    {
        try {
            $event = $invocation->event === '' ? null : json_decode($invocation->event, true, 512, JSON_THROW_ON_ERROR);
        } catch (\JsonException $error) {
            throw new InvocationFailure('Runtime.UnmarshalError', 'the event is not JSON: ' . $error->getMessage());
        }
        $remaining = $invocation->remainingSeconds() ?? self::NO_DEADLINE;
        // Kept for ending the command (0.1 s) and reporting it: a fifth of the time left, 0.3 to 1 s.
        $seconds = max(0.05, $remaining - max(0.3, min(1.0, $remaining * 0.2)));
        $context = [
            'LAMBDA_INVOCATION_CONTEXT' => (string) json_encode(Context::of($invocation), JSON_INVALID_UTF8_SUBSTITUTE),
            'LAMBDA_REQUEST_ID' => $invocation->requestId,
        ];
        $result = $this->command($event, $context, Deadline::in($seconds));
        if ($result->exitCode === 0 && !$result->timedOut) {
            return self::success($result->output);
        }
        throw self::failure($result, $seconds);
    }

    public function settle(): void
    {
        $this->warm?->settle();
    }

    public function stop(): void
    {
        $this->warm?->stop();
    }

    /** @param array<string, string> $context variables of the command */
    private function command(mixed $event, array $context, Deadline $deadline): CommandResult
    {
        $line = $this->shell ? CommandLine::lineOfEvent($event) : null;
        if ($line !== null) {
            // The names of PHP and the script are arguments of the shell's: it parses nothing but the line.
            $command = ['/bin/sh', '-c', 'eval "\"\$0\" \"\$1\" $2"', PHP_BINARY, $this->script, $line];

            return (new Command($command))->run($context, $deadline);
        }
        $arguments = CommandLine::ofEvent($event);

        return $this->warm === null
            ? (new Command([PHP_BINARY, $this->script, ...$arguments]))->run($context, $deadline)
            : $this->warm->run($this->script, $arguments, $context, $deadline);
    }

    private static function success(string $output): string
    {
        $output = self::valid($output);
        for (;;) {
            $json = Json::encode(['exitCode' => 0, 'output' => $output]);
            if (strlen($json) <= self::RESULT_LIMIT) {
                break;
            }
            // The end is what matters. JSON may write one byte as six: keep the share that fits, and a bit less.
            $share = self::RESULT_LIMIT / strlen($json) * 0.99;
            $output = self::valid(substr($output, -max(1, (int) (strlen($output) * $share))));
        }

        return $json;
    }

    private static function failure(CommandResult $result, float $seconds): InvocationFailure
    {
        $output = trim(self::valid(substr($result->output, -self::MESSAGE_LIMIT)));
        [$type, $what] = match (true) {
            $result->timedOut => ['Function.Timeout', sprintf(
                'the command did not end within %.1f s and was stopped just before the function\'s own timeout',
                $seconds,
            )],
            $result->signal !== null => ['Function.CommandKilled', "the command was ended by signal {$result->signal}"],
            $result->exitCode !== null => [
                'Function.CommandFailed',
                "the command ended with exit code {$result->exitCode}",
            ],
            default => ['Runtime.CommandNotStarted', 'the command could not be started'],
        };

        return new InvocationFailure($type, $output === '' ? $what : "$what:\n$output");
    }

    /** Output with what is not UTF-8 replaced, so that JSON can hold it. */
    private static function valid(string $output): string
    {
        if (preg_match('//u', $output) === 1) {
            return $output;
        }
        $json = json_encode($output, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR);

        return (string) json_decode($json, true, 512, JSON_THROW_ON_ERROR);
    }
}
