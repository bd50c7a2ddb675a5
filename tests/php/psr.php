<?php

declare(strict_types=1);

/*
 * As much of PSR-7, PSR-15 and nyholm/psr7 as the tests of request handlers need, written for them: Composer's
 * registry is not asked. The names are the real ones.
 */

namespace Psr\Http\Server {
    interface RequestHandlerInterface
    {
        public function handle(object $request): object;
    }
}

namespace Nyholm\Psr7\Factory {
    /** Every message and part: `withX($y)` gives a copy in which `getX()` is $y. */
    final class Message
    {
        /** @param array<string, mixed> $values */
        public function __construct(private array $values)
        {
        }

        public function __call(string $name, array $arguments): mixed
        {
            if (str_starts_with($name, 'with')) {
                $copy = clone $this;
                if (count($arguments) === 2) {
                    $copy->values[substr($name, 4)][$arguments[0]] = $arguments[1];
                } else {
                    $copy->values[substr($name, 4)] = $arguments[0];
                }

                return $copy;
            }
            $value = $this->values[substr($name, 3)] ?? null;

            return $arguments === [] ? $value : ($value[$arguments[0]] ?? null);
        }
    }

    final class Stream
    {
        private int $place = 0;

        public function __construct(private readonly string $text)
        {
        }

        public function __toString(): string
        {
            return $this->text;
        }

        public function isSeekable(): bool
        {
            return true;
        }

        public function rewind(): void
        {
            $this->place = 0;
        }

        public function eof(): bool
        {
            return $this->place >= strlen($this->text);
        }

        public function read(int $length): string
        {
            $piece = substr($this->text, $this->place, $length);
            $this->place += strlen($piece);

            return $piece;
        }
    }

    final class Psr17Factory
    {
        public function createServerRequest(string $method, string $uri, array $server): Message
        {
            return new Message(['Method' => $method, 'Uri' => $uri, 'ServerParams' => $server]);
        }

        public function createStream(string $text): Stream
        {
            return new Stream($text);
        }

        public function createUploadedFile(Stream $stream, int $size, int $error, string $name, string $type): Message
        {
            return new Message(['Stream' => $stream, 'Size' => $size, 'ClientFilename' => $name, 'ClientMediaType' => $type]);
        }
    }
}
