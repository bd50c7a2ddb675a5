<?php

declare(strict_types=1);

namespace RuntimeBuilder\Web;

/** A part of a file that a request asks for (RFC 9110, section 14): one range of bytes. */
final class ByteRange
{
    private function __construct(public readonly int $first, public readonly int $last)
    {
    }

    /**
     * The range that the header asks for, cut to what there is and to `$most` bytes; the client sees that and goes on.
     * Null: there is nothing to obey (no header, several ranges, another unit, nonsense). False: it begins after the end.
     */
    public static function of(string $header, int $size, int $most): self|null|false
    {
        if (preg_match('/^bytes=\s*(\d{0,18})-(\d{0,18})\s*$/i', $header, $found) !== 1) {
            return null;
        }
        [, $first, $last] = $found;
        if ($first === '') {
            if ($last === '') {
                return null;
            }
            if ((int) $last === 0) {
                return false;
            }
            $from = max(0, $size - (int) $last);
            $to = $size - 1;
        } else {
            $from = (int) $first;
            $to = $last === '' ? $size - 1 : (int) $last;
            if ($to < $from && $last !== '') {
                return null;
            }
        }
        if ($from >= $size) {
            return false;
        }

        return new self($from, min($to, $size - 1, $from + $most - 1));
    }

    public function length(): int
    {
        return $this->last - $this->first + 1;
    }

    public function header(int $size): string
    {
        return "bytes $this->first-$this->last/$size";
    }
}
