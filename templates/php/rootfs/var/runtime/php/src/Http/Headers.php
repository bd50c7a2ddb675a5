<?php

declare(strict_types=1);

namespace RuntimeBuilder\Http;

use function array_map;
use function explode;
use function preg_match_all;
use function preg_quote;
use function strtolower;
use function trim;

/**
 * Header fields as they came; names are compared without regard to case. They are looked for when somebody asks: of most
 * answers nobody does.
 */
final class Headers
{
    /** @param string $lines the fields, a line feed between two, none folded */
    public function __construct(private readonly string $lines)
    {
    }

    /** The first value, null when there is none. */
    public function first(string $name): ?string
    {
        return $this->all($name)[0] ?? null;
    }

    /** @return list<string> */
    public function all(string $name): array
    {
        $count = preg_match_all('/^' . preg_quote($name, '/') . ':([^\n]*+)/mi', $this->lines, $match);

        return $count > 0 ? array_map(static fn (string $value) => trim($value, " \t"), $match[1]) : [];
    }

    /**
     * The first values of the fields whose names begin with `$prefix`.
     *
     * @return array<string, string> what follows in the name, in lower case => value
     */
    public function under(string $prefix): array
    {
        $fields = [];
        preg_match_all('/^' . preg_quote($prefix, '/') . '([^:\n]++):([^\n]*+)/mi', $this->lines, $match);
        foreach ($match[1] as $index => $name) {
            $fields[strtolower($name)] ??= trim($match[2][$index], " \t");
        }

        return $fields;
    }

    /** Whether a comma-separated field (`Connection`, `Transfer-Encoding`) holds `$token`. */
    public function has(string $name, string $token): bool
    {
        foreach ($this->all($name) as $value) {
            foreach (explode(',', strtolower($value)) as $part) {
                if (trim($part) === $token) {
                    return true;
                }
            }
        }

        return false;
    }
}
