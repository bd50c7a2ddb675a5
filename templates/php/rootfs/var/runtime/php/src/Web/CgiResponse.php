<?php

declare(strict_types=1);

namespace RuntimeBuilder\Web;

/** What a script behind (Fast)CGI answered: status, header fields in order, body (RFC 3875 section 6). */
final class CgiResponse
{
    /** @param list<array{string, string}> $fields */
    public function __construct(
        public readonly int $status,
        public readonly array $fields,
        public readonly string $body,
    ) {
    }

    public static function parse(string $output): self
    {
        if (preg_match('/\r?\n\r?\n/', $output, $match, PREG_OFFSET_CAPTURE) !== 1) {
            return new self(200, [], $output);
        }
        [$separator, $offset] = $match[0];
        $status = 200;
        $fields = [];
        foreach (preg_split('/\r?\n/', substr($output, 0, $offset)) ?: [] as $line) {
            [$name, $value] = explode(':', $line, 2) + [1 => ''];
            $value = trim($value);
            if (strcasecmp($name, 'Status') === 0) {
                $status = (int) $value;
            } elseif ($name !== '') {
                $fields[] = [$name, $value];
            }
        }

        return new self(
            $status >= 100 && $status <= 599 ? $status : 500,
            $fields,
            substr($output, $offset + strlen($separator)),
        );
    }

    /** The first value, '' when there is none. */
    public function header(string $name): string
    {
        foreach ($this->fields as [$field, $value]) {
            if (strcasecmp($field, $name) === 0) {
                return $value;
            }
        }

        return '';
    }
}
