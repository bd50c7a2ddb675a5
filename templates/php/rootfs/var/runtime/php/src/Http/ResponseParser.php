<?php

declare(strict_types=1);

namespace RuntimeBuilder\Http;

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

    private int $state = self::HEAD;
    private string $buffer = '';
    private int $searched = 0;
    private int $missing = 0;
    private bool $began = false;

    private int $status = 0;
    private Headers $headers;
    private string $body = '';
    private bool $keepAlive = true;

    public function __construct()
    {
        $this->headers = new Headers([]);
    }

    public function feed(string $bytes): void
    {
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
        return new Response($this->status, $this->headers, $this->body, $this->keepAlive && $this->buffer === '');
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
        $from = max(0, $this->searched - 3);
        if (preg_match('/\r?\n\r?\n/', $this->buffer, $match, PREG_OFFSET_CAPTURE, $from) !== 1) {
            $this->searched = strlen($this->buffer);
            if ($this->searched > self::HEAD_LIMIT) {
                throw new MalformedResponse('the head of the answer is longer than 4 MB');
            }

            return false;
        }
        [$separator, $offset] = $match[0];
        $head = substr($this->buffer, 0, $offset);
        $this->buffer = substr($this->buffer, $offset + strlen($separator));
        $this->searched = 0;
        $this->understandHead($head);

        return true;
    }

    private function understandHead(string $head): void
    {
        $lines = preg_split('/\r?\n/', $head) ?: [];
        $start = array_shift($lines) ?? '';
        if (preg_match('{^HTTP/1\.([01]) ([1-9]\d\d)(?: |$)}', $start, $match) !== 1) {
            throw new MalformedResponse('the answer does not begin with an HTTP/1.x status line');
        }
        $status = (int) $match[2];
        if ($status >= 100 && $status < 200) {
            return; // the real answer follows
        }
        $fields = [];
        foreach ($lines as $line) {
            if ($line !== '' && ($line[0] === ' ' || $line[0] === "\t")) {
                if ($fields !== []) {
                    $fields[count($fields) - 1][1] .= ' ' . trim($line, " \t");
                }
                continue;
            }
            [$name, $value] = explode(':', $line, 2) + [1 => ''];
            $fields[] = [$name, trim($value, " \t")];
        }
        $this->status = $status;
        $this->headers = new Headers($fields);
        $this->keepAlive = $match[1] === '1'
            ? !$this->headers->has('Connection', 'close')
            : $this->headers->has('Connection', 'keep-alive');
        $this->state = $this->framing();
    }

    private function framing(): int
    {
        if ($this->status === 204 || $this->status === 304) {
            return self::COMPLETE;
        }
        if ($this->headers->has('Transfer-Encoding', 'chunked')) {
            return self::CHUNK_SIZE;
        }
        $lengths = array_unique($this->headers->all('Content-Length'));
        if ($lengths === [] || $this->headers->all('Transfer-Encoding') !== []) {
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
        if ($available <= $this->missing) {
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
