<?php

declare(strict_types=1);

namespace RuntimeBuilder\Psr;

use Closure;

/** A form with files (RFC 7578): PHP parses such a body for its web servers only. */
final class Multipart
{
    /**
     * @param array<mixed> $fields as in $_POST
     * @param list<array{string, string, string, string}> $parts field, content, file name, media type
     */
    private function __construct(public readonly array $fields, private readonly array $parts)
    {
    }

    public static function parse(string $contentType, string $body): self
    {
        if (preg_match('/boundary=(?:"([^"]+)"|([^\s;]+))/i', $contentType, $match) !== 1) {
            return new self([], []);
        }
        $boundary = '--' . ($match[1] !== '' ? $match[1] : $match[2]);
        $query = [];
        $parts = [];
        // What stands before the first boundary and after the last one is not the form's.
        foreach (array_slice(explode("\r\n$boundary", "\r\n$body"), 1) as $part) {
            if (str_starts_with($part, '--')) {
                break;
            }
            [$head, $content] = explode("\r\n\r\n", ltrim($part, " \t"), 2) + [1 => ''];
            $field = self::parameter($head, 'name');
            $file = self::parameter($head, 'filename');
            if ($field !== null && $file !== null && $file !== '') {
                $type = preg_match('/^content-type:\s*(\S[^\r\n]*)/im', $head, $match) === 1 ? trim($match[1]) : '';
                $parts[] = [$field, $content, $file, $type ?: 'application/octet-stream'];
            } elseif ($field !== null && $file === null) {
                $query[] = urlencode($field) . '=' . urlencode($content);
            }
        }
        parse_str(implode('&', $query), $fields);

        return new self($fields, $parts);
    }

    /**
     * The files in the order and nesting of their names (`a`, `a[]`, `a[b]`).
     *
     * @param Closure(string, string, string): object $make of content, file name and media type
     * @return array<mixed>
     */
    public function files(Closure $make): array
    {
        $query = [];
        foreach ($this->parts as $number => [$field]) {
            $query[] = urlencode($field) . "=$number";
        }
        parse_str(implode('&', $query), $files);
        array_walk_recursive($files, function (mixed &$number) use ($make): void {
            [, $content, $name, $type] = $this->parts[(int) $number];
            $number = $make($content, $name, $type);
        });

        return $files;
    }

    private static function parameter(string $head, string $name): ?string
    {
        $pattern = '/^content-disposition:[^\r\n]*?;\s*' . $name . '=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\s;]+))/im';
        if (preg_match($pattern, $head, $match) !== 1) {
            return null;
        }

        return isset($match[2]) ? $match[2] : str_replace(['\\"', '%22', '\\\\'], ['"', '"', '\\'], $match[1]);
    }
}
