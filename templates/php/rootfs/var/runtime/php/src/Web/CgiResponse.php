<?php

declare(strict_types=1);

namespace RuntimeBuilder\Web;

use Generator;
use Iterator;
use RuntimeBuilder\Log;

use function explode;
use function preg_match;
use function preg_split;
use function strcasecmp;
use function strlen;
use function substr;
use function trim;

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
            } elseif (Fields::isName($name) && Fields::isValue($value)) {
                $fields[] = [$name, $value];
            } elseif (trim($line) !== '') {
                Log::line('a header of the answer is left out: it has a name or a value that HTTP does not allow');
            }
        }

        return new self(
            $status >= 100 && $status <= 599 ? $status : 500,
            $fields,
            substr($output, $offset + strlen($separator)),
        );
    }

    /**
     * Takes the head of an answer that comes in pieces, and leaves the rest of it: the body.
     *
     * @param Iterator<mixed, string> $pieces
     * @return array{self, Generator<int, string>} the answer without its body, and the body's pieces
     */
    public static function open(Iterator $pieces): array
    {
        $head = '';
        for (; $pieces->valid(); $pieces->next()) {
            $head .= $pieces->current();
            if (preg_match('/\r?\n\r?\n/', $head) === 1) {
                break;
            }
        }
        $begin = self::parse($head);
        $isEmpty = $begin->status === 204 || $begin->status === 304; // RFC 9110: no body
        $body = (static function () use ($begin, $pieces, $isEmpty): Generator {
            if (!$isEmpty) {
                yield $begin->body;
            }
            if ($pieces->valid()) {
                $pieces->next();
            }
            for (; $pieces->valid(); $pieces->next()) {
                if (!$isEmpty) {
                    yield $pieces->current();
                }
            }
        })();

        return [new self($begin->status, $begin->fields, ''), $body];
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
