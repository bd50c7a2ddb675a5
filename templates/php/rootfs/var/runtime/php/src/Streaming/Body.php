<?php

declare(strict_types=1);

namespace RuntimeBuilder\Streaming;

use Generator;
use Iterator;
use IteratorAggregate;
use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\Json;

/** A result that is sent while it is made (AWS's page "runtimes-custom", response streaming). */
final class Body
{
    /** The content type of a stream that begins with status, headers and cookies. */
    public const HTTP = 'application/vnd.awslambda.http-integration-response';

    /** Between status, headers and cookies and the payload. */
    private const DELIMITER = "\0\0\0\0\0\0\0\0";

    /** @var Iterator<mixed> */
    private readonly Iterator $pieces;

    /** @param iterable<mixed> $pieces */
    private function __construct(
        public readonly string $contentType,
        iterable $pieces,
        private readonly string $prelude,
    ) {
        while ($pieces instanceof IteratorAggregate) {
            $pieces = $pieces->getIterator();
        }
        $this->pieces = $pieces instanceof Iterator ? $pieces : new \ArrayIterator($pieces);
        // Whatever goes wrong before the first piece is an ordinary error.
        $this->pieces->rewind();
        $this->check();
    }

    /** @param iterable<mixed> $pieces */
    public static function ofBytes(iterable $pieces, string $contentType): self
    {
        return new self($contentType, $pieces, '');
    }

    /**
     * @param iterable<mixed> $pieces
     * @param array<string, mixed> $http statusCode, headers and so on; no NUL byte comes of it: JSON escapes them
     */
    public static function ofHttp(array $http, iterable $pieces): self
    {
        return new self(self::HTTP, $pieces, Json::encode($http) . self::DELIMITER);
    }

    /**
     * What is between this process and the one that makes the pieces.
     *
     * @return array{string, string} content type and prelude
     */
    public function head(): array
    {
        return [$this->contentType, $this->prelude];
    }

    /**
     * @param array{string, string} $head
     * @param iterable<mixed> $pieces
     */
    public static function withHead(array $head, iterable $pieces): self
    {
        return new self($head[0], $pieces, $head[1]);
    }

    /**
     * The payload's pieces, none of them empty. Throws what the handler throws.
     *
     * @return Generator<int, string>
     */
    public function payload(): Generator
    {
        while ($this->pieces->valid()) {
            $this->check();
            $piece = $this->pieces->current();
            assert(is_string($piece));
            if ($piece !== '') {
                yield $piece;
            }
            unset($piece);
            $this->pieces->next();
        }
    }

    /**
     * All that is sent: the payload, with what stands before it in its first piece.
     *
     * @return Generator<int, string>
     */
    public function pieces(): Generator
    {
        $before = $this->prelude;
        foreach ($this->payload() as $piece) {
            yield $before . $piece;
            $before = '';
        }
        if ($before !== '') {
            yield $before;
        }
    }

    private function check(): void
    {
        if ($this->pieces->valid() && !is_string($this->pieces->current())) {
            throw new InvocationFailure(
                'Runtime.MarshalError',
                'a piece of a streamed response is ' . get_debug_type($this->pieces->current())
                    . ', not a string; encode it (json_encode) before it is given out',
            );
        }
    }
}
