<?php

declare(strict_types=1);

namespace RuntimeBuilder\Http;

use RuntimeBuilder\Net\ConnectionLost;
use RuntimeBuilder\Net\Deadline;
use RuntimeBuilder\Net\Stream;
use RuntimeBuilder\Net\TimedOut;

use function min;
use function strlen;
use function usleep;

/**
 * HTTP/1.1 to one host over one kept connection. No proxy, no redirects, no `Expect`.
 *
 * A request is sent again only when that cannot make it happen twice: a GET, or a request of which the peer
 * cannot have taken a byte.
 */
final class Client
{
    private const CONNECT_SECONDS = 5.0;

    /** Attempt already made => pause before the next one, in microseconds. */
    private const PAUSES = [1 => 0, 2 => 50_000, 3 => 250_000];

    /** Nanoseconds. The service does not close a connection on which it has just answered. */
    private const TRUST = 5_000_000;

    private ?Stream $stream = null;

    /** The header lines of every request. */
    private readonly string $common;

    /** @param string $authority host:port as it stands in AWS_LAMBDA_RUNTIME_API */
    public function __construct(private readonly string $authority, string $userAgent)
    {
        $this->common = "Host: $authority\r\nUser-Agent: $userAgent\r\nAccept: */*\r\n";
    }

    /**
     * Waits for the answer without limit: the environment may be frozen meanwhile.
     *
     * @throws ConnectionLost|MalformedResponse
     */
    public function get(string $path): Response
    {
        return $this->attempt("GET $path HTTP/1.1\r\n{$this->common}\r\n", '', true, null);
    }

    /**
     * @param array<string, string> $headers names and values without control characters
     * @param float|null $seconds limit for the whole exchange
     * @throws ConnectionLost|MalformedResponse|TimedOut
     */
    public function post(string $path, string $body, array $headers, ?float $seconds = null): Response
    {
        $head = "POST $path HTTP/1.1\r\n{$this->common}";
        foreach ($headers as $name => $value) {
            $head .= "$name: $value\r\n";
        }

        return $this->attempt($head . 'Content-Length: ' . strlen($body) . "\r\n\r\n", $body, false, $seconds);
    }

    /** Closes the kept connection; the next request makes a new one. */
    public function disconnect(): void
    {
        $this->stream?->close();
        $this->stream = null;
    }

    private function attempt(string $head, string $body, bool $safe, ?float $seconds): Response
    {
        $deadline = $seconds === null ? Deadline::never() : Deadline::in($seconds);
        for ($attempt = 1;; $attempt++) {
            try {
                return $this->exchange($head, $body, $deadline);
            } catch (ConnectionLost $lost) {
                $this->disconnect();
                $mayRepeat = !$lost->answerBegan && ($safe || !$lost->taken) && !$deadline->hasPassed();
                if (!$mayRepeat || !isset(self::PAUSES[$attempt])) {
                    throw $lost;
                }
                usleep(self::PAUSES[$attempt]);
            } catch (TimedOut | MalformedResponse $failure) {
                $this->disconnect();
                throw $failure;
            }
        }
    }

    private function exchange(string $head, string $body, Deadline $deadline): Response
    {
        $stream = $this->connection($deadline);
        $before = $stream->sentInAll();
        // One write for head and small body: one packet, and no wait for the peer's delayed acknowledgement.
        $stream->queue(strlen($body) <= 65536 ? $head . $body : $head);
        $restQueued = strlen($body) <= 65536;
        $parser = new ResponseParser();
        while (!$parser->isComplete()) {
            if (!$restQueued && !$stream->hasUnsent()) {
                $stream->queue($body);
                $restQueued = true;
            }
            $bytes = $stream->move($deadline);
            if ($bytes === null) {
                $parser->end();
                if (!$parser->isComplete()) {
                    throw new ConnectionLost(
                        "{$this->authority} closed the connection "
                            . ($parser->hasBegun() ? 'in the middle of its answer' : 'without an answer'),
                        taken: $stream->sentInAll() > $before,
                        answerBegan: $parser->hasBegun(),
                    );
                }
                break;
            }
            $parser->feed($bytes);
        }
        $response = $parser->response();
        if (!$response->keepAlive || !$restQueued || $stream->hasUnsent()) {
            $this->disconnect();
        }

        return $response;
    }

    private function connection(Deadline $deadline): Stream
    {
        if ($this->stream !== null && !$this->stream->isIdle(self::TRUST)) {
            $this->disconnect(); // closed by the peer since the last answer
        }

        return $this->stream ??= Stream::connect(
            'tcp://' . $this->authority,
            min(self::CONNECT_SECONDS, $deadline->remaining() ?? self::CONNECT_SECONDS),
        );
    }
}
