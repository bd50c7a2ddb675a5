<?php

declare(strict_types=1);

namespace RuntimeBuilder\Net;

use RuntimeBuilder\Quietly;

use function fclose;
use function feof;
use function fread;
use function fwrite;
use function hrtime;
use function restore_error_handler;
use function stream_context_create;
use function stream_select;
use function stream_set_blocking;
use function stream_set_read_buffer;
use function stream_socket_client;
use function strlen;
use function substr;

/**
 * One connected socket, full duplex: what is queued goes out while what comes in is read.
 *
 * Reading while writing matters twice: a server may answer before it has taken the whole request (413), and
 * PHP-FPM may fill our buffer with output while we still fill its buffer with the request body.
 *
 * Waiting is done with select(2) and without PHP's stream timeouts: those count from the last read, default to
 * 60 s, and would fire when a frozen environment is thawed.
 */
final class Stream
{
    private const READ_SIZE = 65536;
    private const WRITE_SIZE = 262144;

    /** @var resource|null */
    private $socket;

    /** What is to be sent, '' when all is; `$sent` bytes of it are sent already. */
    private string $outgoing = '';
    private int $sent = 0;
    private int $sentInAll = 0;

    /** When bytes came last (nanoseconds of the monotonic clock). */
    private int $lastReceived = 0;

    /** @param resource $socket */
    private function __construct($socket)
    {
        $this->socket = $socket;
        stream_set_blocking($socket, false);
        stream_set_read_buffer($socket, 0); // what is read is wanted as it comes, not copied from a buffer
    }

    /**
     * @param string $uri tcp://host:port or unix:///path
     * @throws ConnectionLost
     */
    public static function connect(string $uri, float $seconds): self
    {
        $context = stream_context_create(['socket' => ['tcp_nodelay' => true]]);
        $code = 0;
        $reason = '';
        $socket = Quietly::call(static function () use ($uri, $seconds, $context, &$code, &$reason) {
            return stream_socket_client($uri, $code, $reason, $seconds, STREAM_CLIENT_CONNECT, $context);
        });
        if ($socket === false) {
            throw new ConnectionLost("cannot connect to $uri: " . ($reason ?: 'unknown reason'), taken: false);
        }

        return new self($socket);
    }

    /** Sends what the kernel takes now; the rest goes out while `move` waits. */
    public function queue(string $bytes): void
    {
        $this->outgoing = $this->outgoing === '' ? $bytes : substr($this->outgoing, $this->sent) . $bytes;
        $this->sent = 0;
        if ($this->socket !== null) {
            Quietly::begin();
            try {
                $this->write($this->socket);
            } finally {
                restore_error_handler();
            }
        }
    }

    public function hasUnsent(): bool
    {
        return $this->outgoing !== '';
    }

    /** Bytes that the kernel has taken since the connection was made. */
    public function sentInAll(): int
    {
        return $this->sentInAll;
    }

    /**
     * Waits until something moves. Returns what came in ('' when only bytes went out), null at the end of the
     * peer's stream.
     *
     * @throws TimedOut
     */
    public function move(Deadline $deadline): ?string
    {
        if ($this->socket === null) {
            return null;
        }
        Quietly::begin();
        try {
            return $this->wait($this->socket, $deadline);
        } finally {
            restore_error_handler();
        }
    }

    /** @param resource $socket */
    private function wait($socket, Deadline $deadline): ?string
    {
        for (;;) {
            $remaining = $deadline->remaining();
            $read = [$socket];
            $write = $this->outgoing === '' ? null : [$socket];
            $except = null;
            $ready = $remaining === null
                ? stream_select($read, $write, $except, null)
                : stream_select($read, $write, $except, (int) $remaining, (int) (($remaining - (int) $remaining) * 1e6));
            if ($ready === false) {
                continue; // a signal; its handler has run or ends us
            }
            if ($ready === 0) {
                if ($deadline->hasPassed()) {
                    throw new TimedOut('the peer did not answer in time');
                }
                continue;
            }
            if ($write !== null && $write !== []) {
                $this->write($socket);
            }
            if ($read === []) {
                return '';
            }
            $bytes = fread($socket, self::READ_SIZE);
            if ($bytes !== false && $bytes !== '') {
                $this->lastReceived = hrtime(true);

                return $bytes;
            }
            if (feof($socket)) {
                return null;
            }
        }
    }

    /**
     * Whether an idle connection can be used: nothing unread, not closed by the peer. Not looked at again within
     * `$trust` nanoseconds after bytes have come.
     */
    public function isIdle(int $trust = 0): bool
    {
        if ($this->socket === null) {
            return false;
        }
        if ($trust > 0 && hrtime(true) - $this->lastReceived < $trust) {
            return true;
        }
        $read = [$this->socket];
        $none = null;

        return Quietly::call(static fn () => stream_select($read, $none, $none, 0, 0)) === 0;
    }

    public function close(): void
    {
        if ($this->socket !== null) {
            fclose($this->socket);
            $this->socket = null;
        }
    }

    /** @param resource $socket */
    private function write($socket): void
    {
        $piece = $this->sent === 0 && strlen($this->outgoing) <= self::WRITE_SIZE
            ? $this->outgoing
            : substr($this->outgoing, $this->sent, self::WRITE_SIZE);
        $written = fwrite($socket, $piece);
        if ($written === false) {
            // The peer takes nothing more. An answer may still be waiting; if not, reading finds the end.
            $this->outgoing = '';
            $this->sent = 0;

            return;
        }
        $this->sent += $written;
        $this->sentInAll += $written;
        if ($this->sent === strlen($this->outgoing)) {
            $this->outgoing = '';
            $this->sent = 0;
        }
    }
}
