<?php

declare(strict_types=1);

namespace RuntimeBuilder\Fpm;

use Generator;
use RuntimeBuilder\Log;
use RuntimeBuilder\Net\ConnectionLost;
use RuntimeBuilder\Net\Deadline;
use RuntimeBuilder\Net\Stream;
use RuntimeBuilder\Net\TimedOut;

/**
 * Requests to PHP-FPM over one kept connection. Never sends a request twice: requests of the web are not safe to
 * repeat, and PHP-FPM says nothing about how far it came.
 */
final class FastCgiClient
{
    /** Bytes. Lambda takes 6 MB; what is far beyond is not worth the memory of collecting it. */
    private const OUTPUT_LIMIT = 32 * 1024 * 1024;

    private ?Stream $stream = null;
    private bool $isReady = false;

    public function __construct(private readonly string $socket)
    {
    }

    /**
     * Makes sure of a connection that a request can be sent on.
     *
     * @throws ConnectionLost
     */
    public function connect(): void
    {
        if ($this->stream !== null && !$this->stream->isIdle()) {
            $this->disconnect(); // the worker was replaced since the last request
        }
        $this->isReady = true;
        $this->stream ??= Stream::connect('unix://' . $this->socket, 1.0);
    }

    /**
     * The answer's bytes: CGI headers and body. What the application writes to its error log goes to ours.
     *
     * @param array<string, string> $params
     * @throws ConnectionLost|FastCgiProtocolError|TimedOut
     */
    public function request(array $params, string $body, Deadline $deadline): string
    {
        $parser = new RecordParser();
        foreach ($this->exchange($parser, $params, $body, $deadline) as $_) {
            if ($parser->outputLength() > self::OUTPUT_LIMIT) {
                $this->disconnect();
                throw new FastCgiProtocolError('the answer is longer than 32 MB; Lambda takes 6 MB');
            }
        }

        return $parser->output();
    }

    /**
     * The same in pieces, as PHP-FPM sends them. Who stops before the end has to have PHP-FPM restarted: the script
     * may go on.
     *
     * @param array<string, string> $params
     * @return Generator<int, string>
     */
    public function stream(array $params, string $body, Deadline $deadline): Generator
    {
        $parser = new RecordParser();
        foreach ($this->exchange($parser, $params, $body, $deadline) as $_) {
            $output = $parser->takeOutput();
            if ($output !== '') {
                yield $output;
            }
        }
    }

    /**
     * Gives control back whenever something has come, the last time when the answer is complete.
     *
     * @param array<string, string> $params
     * @return Generator<int, null>
     */
    private function exchange(RecordParser $parser, array $params, string $body, Deadline $deadline): Generator
    {
        if (!$this->isReady) {
            $this->connect();
        }
        $this->isReady = false;
        assert($this->stream !== null);
        $isDone = false;
        try {
            $this->stream->queue(Records::request($params, $body));
            while (!$parser->isComplete()) {
                $bytes = $this->stream->move($deadline);
                if ($bytes === null) {
                    throw new ConnectionLost('PHP-FPM closed the connection', true, $parser->hasBegun());
                }
                $parser->feed($bytes);
                $this->log($parser);
                if (!$parser->isComplete()) {
                    yield;
                }
            }
            $isDone = !$this->stream->hasUnsent(); // else the script ended without reading its input
        } finally {
            if (!$isDone) {
                $this->disconnect();
            }
        }
        yield;
    }

    public function disconnect(): void
    {
        $this->stream?->close();
        $this->stream = null;
    }

    private function log(RecordParser $parser): void
    {
        $errors = $parser->takeErrors();
        if ($errors !== '') {
            Log::messages($errors);
        }
    }
}
