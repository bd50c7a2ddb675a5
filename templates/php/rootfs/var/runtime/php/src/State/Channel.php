<?php

declare(strict_types=1);

namespace RuntimeBuilder\State;

use RuntimeBuilder\Quietly;

use function fclose;
use function fread;
use function fwrite;
use function min;
use function pack;
use function stream_select;
use function stream_socket_pair;
use function strlen;
use function substr;
use function unpack;

/**
 * Messages between the runtime and a process that handles an event for it: one byte says what, four how long it is.
 *
 * The other side may die at any moment, and what it has started may keep its end open for long: the end of the stream
 * alone does not tell.
 */
final class Channel
{
    public const READY = 'R';
    public const EVENT = 'V';
    public const RESULT = 'S';
    public const FAILURE = 'F';
    public const STREAM = 'T';
    public const PIECE = 'C';
    public const END = 'Z';
    public const STARTED = 'P';
    public const ENDED = 'X';

    private const BLOCK = 1 << 20;

    /** @param resource $stream one end of a socket pair */
    public function __construct(private $stream)
    {
    }

    /** @return array{self, self} */
    public static function pair(): array
    {
        $ends = Quietly::call(static fn () => stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0));
        if ($ends === false) {
            throw new \RuntimeException('no socket pair: ' . Quietly::lastWarning());
        }

        return [new self($ends[0]), new self($ends[1])];
    }

    /** @return resource to be handed to a new process */
    public function stream()
    {
        return $this->stream;
    }

    public function close(): void
    {
        fclose($this->stream);
    }

    /** False when the other side takes nothing more. */
    public function send(string $kind, string $content = ''): bool
    {
        $bytes = $kind . pack('N', strlen($content)) . $content;
        $length = strlen($bytes);
        for ($sent = 0; $sent < $length; $sent += $written) {
            $piece = $sent === 0 && $length <= self::BLOCK ? $bytes : substr($bytes, $sent, self::BLOCK);
            $written = Quietly::call(fn () => fwrite($this->stream, $piece));
            if ($written === false || $written === 0) {
                return false;
            }
        }

        return true;
    }

    /**
     * The next message: what, and its content; null at the end of the stream.
     *
     * @return array{string, string}|null
     */
    public function receive(): ?array
    {
        $head = $this->read(5);
        if ($head === null) {
            return null;
        }
        /** @var array{1: int} $length */
        $length = unpack('N', $head, 1);
        $content = $this->read($length[1]);

        return $content === null ? null : [$head[0], $content];
    }

    /** Whether something can be read (the end of the stream counts) within `$seconds`. */
    public function isReadable(float $seconds): bool
    {
        $read = [$this->stream];
        $none = null;
        $micro = (int) ($seconds * 1e6);

        return Quietly::call(static function () use (&$read, &$none, $micro) {
            return stream_select($read, $none, $none, 0, $micro);
        }) === 1;
    }

    private function read(int $length): ?string
    {
        $bytes = '';
        while (strlen($bytes) < $length) {
            $missing = $length - strlen($bytes);
            $piece = Quietly::call(fn () => fread($this->stream, min(self::BLOCK, $missing)));
            if ($piece === false || $piece === '') {
                return null;
            }
            $bytes .= $piece;
        }

        return $bytes;
    }
}
