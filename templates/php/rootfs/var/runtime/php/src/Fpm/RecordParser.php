<?php

declare(strict_types=1);

namespace RuntimeBuilder\Fpm;

use function ord;
use function strlen;
use function substr;
use function unpack;

/** Takes the bytes of one FastCGI answer in pieces of any size: output, error output, end. */
final class RecordParser
{
    private string $buffer = '';
    private string $output = '';
    private string $errors = '';
    private bool $complete = false;
    private bool $began = false;

    /** @throws FastCgiProtocolError */
    public function feed(string $bytes): void
    {
        $this->began = $this->began || $bytes !== '';
        $this->buffer .= $bytes;
        $offset = 0;
        $available = strlen($this->buffer);
        while (!$this->complete && $available - $offset >= 8) {
            /** @var array{version: int, type: int, id: int, length: int, padding: int} $head */
            $head = unpack('Cversion/Ctype/nid/nlength/Cpadding', $this->buffer, $offset);
            if ($head['version'] !== 1) {
                throw new FastCgiProtocolError('PHP-FPM sent something that is not FastCGI');
            }
            $end = $offset + 8 + $head['length'] + $head['padding'];
            if ($end > $available) {
                break;
            }
            $this->take($head['type'], substr($this->buffer, $offset + 8, $head['length']));
            $offset = $end;
        }
        if ($offset > 0) {
            $this->buffer = substr($this->buffer, $offset);
        }
    }

    public function isComplete(): bool
    {
        return $this->complete;
    }

    public function hasBegun(): bool
    {
        return $this->began;
    }

    /** All output so far: the CGI answer. */
    public function output(): string
    {
        return $this->output;
    }

    /** The output since the last call. */
    public function takeOutput(): string
    {
        $output = $this->output;
        $this->output = '';

        return $output;
    }

    public function outputLength(): int
    {
        return strlen($this->output);
    }

    /** What came on the error stream since the last call. */
    public function takeErrors(): string
    {
        $errors = $this->errors;
        $this->errors = '';

        return $errors;
    }

    private function take(int $type, string $content): void
    {
        if ($type === Records::STDOUT) {
            $this->output .= $content;
        } elseif ($type === Records::STDERR) {
            $this->errors .= $content;
        } elseif ($type === Records::END) {
            $protocolStatus = ord($content[4] ?? "\0");
            if ($protocolStatus !== 0) {
                throw new FastCgiProtocolError("PHP-FPM refused the request (protocol status $protocolStatus)");
            }
            $this->complete = true;
        }
    }
}
