<?php

declare(strict_types=1);

namespace RuntimeBuilder\Http;

use function array_unique;
use function count;
use function hexdec;
use function ltrim;
use function max;
use function preg_match;
use function preg_replace;
use function rtrim;
use function str_contains;
use function str_ends_with;
use function str_replace;
use function strlen;
use function strpos;
use function substr;

/**
 * Takes the bytes of one answer in pieces of any size (RFC 9112). Knows no sockets.
 *
 * Interim answers (1xx) are skipped; trailers are read and dropped.
 */
final class ResponseParser
{
    private const HEAD_LIMIT = 4 * 1024 * 1024;
    private const HEAD = 0;
    private const SIZED = 1;
    private const CHUNK_SIZE = 2;
    private const CHUNK_DATA = 3;
    private const CHUNK_END = 4;
    private const TRAILERS = 5;
    private const UNTIL_END = 6;
    private const COMPLETE = 7;

    /** A head as the service sends it: no header that changes how the body is delimited, none twice, none folded. */
    private const PLAIN_HEAD = '{^HTTP/1\.1 (?!204|304)([2-5]\d\d)(?: [^\r\n]*+)?\r\n'
        . '((?:(?!content-length:|connection:|transfer-encoding:)[!-~][^\r\n]*+\r\n)*+'
        . 'content-length:[ \t]*+(\d{1,15})[ \t]*+\r\n'
        . '(?:(?!content-length:|connection:|transfer-encoding:)[!-~][^\r\n]*+\r\n)*+)\r\n}i';

    private int $state = self::HEAD;
    private string $buffer = '';
    private int $searched = 0;
    private int $missing = 0;
    private bool $began = false;

    private int $status = 0;
    private ?Headers $headers = null;
    private string $body = '';
    private bool $keepAlive = true;

    public function feed(string $bytes): void
    {
        if (!$this->began && preg_match(self::PLAIN_HEAD, $bytes, $match) === 1) {
            $this->status = (int) $match[1];
            $this->headers = new Headers(str_replace("\r\n", "\n", $match[2]));
            $this->missing = (int) $match[3];
            $this->state = $this->missing === 0 ? self::COMPLETE : self::SIZED;
            $bytes = substr($bytes, strlen($match[0]));
            $this->began = true;
        }
        $this->began = $this->began || $bytes !== '';
        $this->buffer = $this->buffer === '' ? $bytes : $this->buffer . $bytes;
        while ($this->step()) {
        }
    }

    /** The peer closed: fine where the answer is delimited by that, an error elsewhere. */
    public function end(): void
    {
        if ($this->state === self::UNTIL_END) {
            $this->state = self::COMPLETE;
        }
    }

    public function isComplete(): bool
    {
        return $this->state === self::COMPLETE;
    }

    /** Whether any byte of an answer has come. */
    public function hasBegun(): bool
    {
        return $this->began;
    }

    public function response(): Response
    {
        // Bytes after the answer belong to nobody: the connection is not to be used again.
        return new Response($this->status, $this->headers ?? new Headers(''), $this->body, $this->keepAlive && $this->buffer === '');
    }

    /** One step of the state machine; false when more bytes are needed or all is read. */
    private function step(): bool
    {
        return match ($this->state) {
            self::HEAD => $this->readHead(),
            self::SIZED => $this->readData(self::COMPLETE),
            self::CHUNK_SIZE => $this->readChunkSize(),
            self::CHUNK_DATA => $this->readData(self::CHUNK_END),
            self::CHUNK_END => $this->readChunkEnd(),
            self::TRAILERS => $this->readTrailer(),
            self::UNTIL_END => $this->readAll(),
            default => false,
        };
    }

    private function readHead(): bool
    {
        // Only look at what is new: a head that drips in byte by byte must not cost its length squared.
        $end = strpos($this->buffer, "\n\r\n", max(0, $this->searched - 2));
        // A peer may leave the carriage returns out.
        $bare = $end === false
            ? strpos($this->buffer, "\n\n", max(0, $this->searched - 1))
            : strpos(substr($this->buffer, 0, $end + 1), "\n\n");
        if ($bare === false && $end === false) {
            $this->searched = strlen($this->buffer);
            if ($this->searched > self::HEAD_LIMIT) {
                throw new MalformedResponse('the head of the answer is longer than 4 MB');
            }

            return false;
        }
        $head = substr($this->buffer, 0, $bare === false ? $end : $bare);
        $this->buffer = substr($this->buffer, $bare === false ? $end + 3 : $bare + 2);
        $this->searched = 0;
        $this->understandHead(str_ends_with($head, "\r") ? substr($head, 0, -1) : $head);

        return true;
    }

    private function understandHead(string $head): void
    {
        $lines = str_replace("\r\n", "\n", $head);
        $end = strpos($lines, "\n");
        $start = $end === false ? $lines : substr($lines, 0, $end);
        if (preg_match('{^HTTP/1\.([01]) ([1-9]\d\d)(?: |$)}', $start, $match) !== 1) {
            throw new MalformedResponse('the answer does not begin with an HTTP/1.x status line');
        }
        $status = (int) $match[2];
        if ($status >= 100 && $status < 200) {
            return; // the real answer follows
        }
        $this->status = $status;
        $headers = new Headers($end === false ? '' : self::unfolded(substr($lines, $end + 1)));
        $this->headers = $headers;
        $this->keepAlive = $match[1] === '1'
            ? !$headers->has('connection', 'close')
            : $headers->has('connection', 'keep-alive');
        $this->state = $this->framing($headers);
    }

    /** A line that begins with white space goes on with the value of the one before it. */
    private static function unfolded(string $lines): string
    {
        if (!str_contains($lines, "\n ") && !str_contains($lines, "\n\t") && ltrim($lines, " \t") === $lines) {
            return $lines;
        }

        return (string) preg_replace(['/^(?:[ \t][^\n]*(?:\n|$))+/', '/[ \t]*\n[ \t]+/'], ['', ' '], $lines);
    }

    private function framing(Headers $headers): int
    {
        if ($this->status === 204 || $this->status === 304) {
            return self::COMPLETE;
        }
        if ($headers->has('transfer-encoding', 'chunked')) {
            return self::CHUNK_SIZE;
        }
        $lengths = $headers->all('content-length');
        $lengths = count($lengths) > 1 ? array_unique($lengths) : $lengths;
        if ($lengths === [] || $headers->all('transfer-encoding') !== []) {
            $this->keepAlive = false;

            return self::UNTIL_END;
        }
        if (count($lengths) > 1 || preg_match('/^\d{1,15}$/', $lengths[0]) !== 1) {
            throw new MalformedResponse('the answer has no usable Content-Length');
        }
        $this->missing = (int) $lengths[0];

        return $this->missing === 0 ? self::COMPLETE : self::SIZED;
    }

    private function readData(int $next): bool
    {
        $available = strlen($this->buffer);
        if ($available === 0) {
            return false;
        }
        if ($available === $this->missing && $this->body === '') {
            $this->body = $this->buffer; // mostly: all at once
            $this->buffer = '';
            $this->missing = 0;
        } elseif ($available <= $this->missing) {
            $this->body .= $this->buffer;
            $this->buffer = '';
            $this->missing -= $available;
        } else {
            $this->body .= substr($this->buffer, 0, $this->missing);
            $this->buffer = substr($this->buffer, $this->missing);
            $this->missing = 0;
        }
        if ($this->missing === 0) {
            $this->state = $next;
        }

        return true;
    }

    private function readChunkSize(): bool
    {
        $line = $this->takeLine();
        if ($line === null) {
            return false;
        }
        if (preg_match('/^([0-9a-fA-F]{1,12})[ \t]*(?:;|$)/', $line, $match) !== 1) {
            throw new MalformedResponse('a chunk of the answer has no usable size');
        }
        $this->missing = (int) hexdec($match[1]);
        $this->state = $this->missing === 0 ? self::TRAILERS : self::CHUNK_DATA;

        return true;
    }

    private function readChunkEnd(): bool
    {
        $line = $this->takeLine();
        if ($line === null) {
            return false;
        }
        if ($line !== '') {
            throw new MalformedResponse('a chunk of the answer is longer than its size says');
        }
        $this->state = self::CHUNK_SIZE;

        return true;
    }

    private function readTrailer(): bool
    {
        $line = $this->takeLine();
        if ($line === null) {
            return false;
        }
        if ($line === '') {
            $this->state = self::COMPLETE;
        }

        return true;
    }

    private function readAll(): bool
    {
        $this->body .= $this->buffer;
        $this->buffer = '';

        return false;
    }

    private function takeLine(): ?string
    {
        $end = strpos($this->buffer, "\n");
        if ($end === false) {
            if (strlen($this->buffer) > 65536) {
                throw new MalformedResponse('a line between the chunks of the answer is longer than 64 KB');
            }

            return null;
        }
        $line = rtrim(substr($this->buffer, 0, $end), "\r");
        $this->buffer = substr($this->buffer, $end + 1);

        return $line;
    }
}
