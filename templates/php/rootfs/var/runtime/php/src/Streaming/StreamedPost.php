<?php

declare(strict_types=1);

namespace RuntimeBuilder\Streaming;

use RuntimeBuilder\ErrorReport;
use RuntimeBuilder\Http\Response;
use RuntimeBuilder\Http\ResponseParser;
use RuntimeBuilder\Net\ConnectionLost;
use RuntimeBuilder\Net\Deadline;
use RuntimeBuilder\Net\Stream;

/**
 * One POST of a response in chunks (RFC 9112 section 7.1), on a connection of its own that ends with it. A piece has
 * been taken by the kernel before the next one is asked for: a slow reader slows the handler down, not our memory up.
 */
final class StreamedPost
{
    public const MODE = 'Lambda-Runtime-Function-Response-Mode';
    private const ERROR_TYPE = 'Lambda-Runtime-Function-Error-Type';
    private const ERROR_BODY = 'Lambda-Runtime-Function-Error-Body';
    private const CONNECT_SECONDS = 5.0;

    private readonly Stream $stream;
    private readonly ResponseParser $parser;
    private bool $ended = false;

    /** @throws ConnectionLost */
    public function __construct(private readonly string $authority, string $userAgent, string $path, string $type)
    {
        $this->stream = Stream::connect('tcp://' . $authority, self::CONNECT_SECONDS);
        $this->parser = new ResponseParser();
        $this->stream->queue("POST $path HTTP/1.1\r\nHost: $authority\r\nUser-Agent: $userAgent\r\n"
            . self::MODE . ": streaming\r\nContent-Type: " . self::line($type) . "\r\nTransfer-Encoding: chunked\r\n"
            . 'Trailer: ' . self::ERROR_TYPE . ', ' . self::ERROR_BODY . "\r\nConnection: close\r\n\r\n");
    }

    /**
     * Sends a piece; false when the answer is there already and nothing more is wanted.
     *
     * @param string $piece not empty: that would be the end
     * @throws ConnectionLost
     */
    public function write(string $piece): bool
    {
        $this->stream->queue(dechex(strlen($piece)) . "\r\n$piece\r\n");
        unset($piece);
        while ($this->stream->hasUnsent() && !$this->parser->isComplete()) {
            $this->move();
        }

        return !$this->parser->isComplete();
    }

    /**
     * The end of the stream, with the failure that ended it, and the service's answer.
     *
     * @throws ConnectionLost
     */
    public function end(?ErrorReport $failure): Response
    {
        if (!$this->ended && !$this->parser->isComplete()) {
            $this->stream->queue("0\r\n" . ($failure === null ? '' : self::ERROR_TYPE . ': ' . $failure->type() . "\r\n"
                . self::ERROR_BODY . ': ' . base64_encode($failure->json()) . "\r\n") . "\r\n");
        }
        $this->ended = true;
        while (!$this->parser->isComplete()) {
            $this->move();
        }
        $this->stream->close();

        return $this->parser->response();
    }

    public function close(): void
    {
        $this->stream->close();
    }

    private function move(): void
    {
        $bytes = $this->stream->move(Deadline::never());
        if ($bytes !== null) {
            $this->parser->feed($bytes);

            return;
        }
        $this->parser->end();
        if (!$this->parser->isComplete()) {
            $this->stream->close();
            throw new ConnectionLost("{$this->authority} closed the connection of the stream", true);
        }
    }

    /** A content type is the project's own text. */
    private static function line(string $text): string
    {
        return (string) preg_replace('/[\x00-\x1f\x7f]+/', ' ', $text);
    }
}
