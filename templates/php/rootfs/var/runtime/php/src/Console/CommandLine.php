<?php

declare(strict_types=1);

namespace RuntimeBuilder\Console;

use RuntimeBuilder\InvocationFailure;

/** The arguments that a console event asks for; no shell ever sees them. */
final class CommandLine
{
    /**
     * `"migrate --force"`, `["migrate", "--force"]`, `{"cli": "migrate --force"}`, `{"argv": ["migrate", "--force"]}`;
     * null and `{}` mean: no arguments.
     *
     * @return list<string>
     * @throws InvocationFailure
     */
    public static function ofEvent(mixed $event): array
    {
        if (is_array($event) && array_key_exists('argv', $event)) {
            return self::checked($event['argv']);
        }
        if (is_array($event) && array_key_exists('cli', $event)) {
            $event = $event['cli'];
        }
        if (is_string($event)) {
            return self::split($event);
        }

        return self::checked($event ?? []);
    }

    /**
     * The line of an event that has one, for a shell (RUNTIMEBUILDER_SHELL); null for one that lists its arguments.
     *
     * @throws InvocationFailure for a NUL byte
     */
    public static function lineOfEvent(mixed $event): ?string
    {
        if (is_array($event) && !array_key_exists('argv', $event)) {
            $event = $event['cli'] ?? null;
        }

        return is_string($event) ? self::checked([$event])[0] : null;
    }

    /**
     * Words as a shell splits them: blanks separate, '...' and "..." keep together, \ takes the next character as
     * it is. Nothing is expanded: no variables, no globs, no commands.
     *
     * @return list<string>
     * @throws InvocationFailure for a quote that is not closed
     */
    public static function split(string $line): array
    {
        $words = [];
        $word = null;
        $quote = '';
        for ($i = 0, $length = strlen($line); $i < $length; $i++) {
            $character = $line[$i];
            if ($quote !== '') {
                if ($character === $quote) {
                    $quote = '';
                } elseif ($character === '\\' && $quote === '"' && strpbrk($line[$i + 1] ?? '', '"\\$`') !== false) {
                    $word .= $line[++$i];
                } else {
                    $word .= $character;
                }
            } elseif ($character === "'" || $character === '"') {
                $quote = $character;
                $word ??= '';
            } elseif ($character === '\\' && $i + 1 < $length) {
                $word .= $line[++$i];
            } elseif (strpbrk($character, " \t\r\n") !== false) {
                if ($word !== null) {
                    $words[] = $word;
                    $word = null;
                }
            } else {
                $word .= $character;
            }
        }
        if ($quote !== '') {
            throw self::invalid("the command line has a quote ($quote) that is not closed: $line");
        }
        if ($word !== null) {
            $words[] = $word;
        }

        return self::checked($words);
    }

    /** @return list<string> */
    private static function checked(mixed $arguments): array
    {
        if (!is_array($arguments) || !array_is_list($arguments)) {
            throw self::invalid(
                'the event is not a command: send a string, a list of strings, {"cli": "..."} or {"argv": [...]}',
            );
        }
        $checked = [];
        foreach ($arguments as $argument) {
            if (!is_string($argument) && !is_int($argument) && !is_float($argument)) {
                throw self::invalid('an argument is ' . get_debug_type($argument) . ', not a string');
            }
            if (str_contains((string) $argument, "\0")) {
                throw self::invalid('an argument holds a NUL byte, which no program can be given');
            }
            $checked[] = (string) $argument;
        }

        return $checked;
    }

    private static function invalid(string $message): InvocationFailure
    {
        return new InvocationFailure('Runtime.InvalidCommand', $message);
    }
}
