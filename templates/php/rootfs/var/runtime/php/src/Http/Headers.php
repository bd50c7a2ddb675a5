<?php

declare(strict_types=1);

namespace RuntimeBuilder\Http;

/** Header fields in the order they came; names are compared without regard to case. */
final class Headers
{
    /** @var array<string, list<string>> lower-cased name => values */
    private array $values = [];

    /** @param list<array{string, string}> $fields */
    public function __construct(array $fields)
    {
        foreach ($fields as [$name, $value]) {
            $this->values[strtolower($name)][] = $value;
        }
    }

    /** The first value, null when there is none. */
    public function first(string $name): ?string
    {
        return $this->values[strtolower($name)][0] ?? null;
    }

    /** @return list<string> */
    public function all(string $name): array
    {
        return $this->values[strtolower($name)] ?? [];
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
