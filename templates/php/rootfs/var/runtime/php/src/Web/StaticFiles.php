<?php

declare(strict_types=1);

namespace RuntimeBuilder\Web;

use RuntimeBuilder\Environment;
use RuntimeBuilder\InitFailure;
use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\Quietly;

/**
 * Files of one folder, served without asking PHP-FPM; everything else is the application's.
 *
 * Never served: PHP source, names that begin with a dot (but .well-known), and what a link leads to outside of the
 * folder.
 */
final class StaticFiles
{
    /** Bytes. Base64 makes four of three, and Lambda takes 6 MB. */
    private const LIMIT = 4_400_000;

    /** Seconds since 1970: an older file has no time of its own (1980 is where archives begin). */
    private const EARLIEST = 316_000_000;

    private const SOURCE = '/\.(?:php\d?|phtml|phar|phps|inc)(?:\.|$)/i';

    private const TYPES = [
        'avif' => 'image/avif', 'bmp' => 'image/bmp', 'css' => 'text/css; charset=utf-8',
        'csv' => 'text/csv; charset=utf-8', 'eot' => 'application/vnd.ms-fontobject', 'gif' => 'image/gif',
        'gz' => 'application/gzip', 'htm' => 'text/html; charset=utf-8', 'html' => 'text/html; charset=utf-8',
        'ico' => 'image/x-icon', 'jpeg' => 'image/jpeg', 'jpg' => 'image/jpeg',
        'js' => 'text/javascript; charset=utf-8', 'json' => 'application/json', 'map' => 'application/json',
        'md' => 'text/markdown; charset=utf-8', 'mjs' => 'text/javascript; charset=utf-8', 'mp3' => 'audio/mpeg',
        'mp4' => 'video/mp4', 'ogg' => 'audio/ogg', 'otf' => 'font/otf', 'pdf' => 'application/pdf',
        'png' => 'image/png', 'svg' => 'image/svg+xml', 'ttf' => 'font/ttf', 'txt' => 'text/plain; charset=utf-8',
        'wasm' => 'application/wasm', 'wav' => 'audio/wav', 'webm' => 'video/webm',
        'webmanifest' => 'application/manifest+json', 'webp' => 'image/webp', 'woff' => 'font/woff',
        'woff2' => 'font/woff2', 'xml' => 'application/xml', 'zip' => 'application/zip',
    ];

    /** @var array<string, string|false> of large files, by what tells one from another */
    private array $hashes = [];

    private function __construct(private readonly string $root)
    {
    }

    /**
     * @param string $folder absolute, or below the task root
     * @throws InitFailure when there is no such folder
     */
    public static function in(string $folder): self
    {
        $path = str_starts_with($folder, '/') ? $folder : Environment::taskRoot() . "/$folder";
        $root = realpath($path);
        if ($root === false || !is_dir($root)) {
            throw new InitFailure(
                'InvalidConfiguration',
                "RUNTIMEBUILDER_STATIC is '$folder', and there is no folder $path; name the one with the public files",
            );
        }

        return new self($root);
    }

    /**
     * The answer, or null when this is a request for the application.
     *
     * @throws InvocationFailure for a file that is larger than an answer can be
     */
    public function answer(HttpEvent $event): ?CgiResponse
    {
        if ($event->method !== 'GET' && $event->method !== 'HEAD') {
            return null;
        }
        $path = rawurldecode($event->path);
        // A named stage of an HTTP API stands before the path; the files are not in a folder of its name.
        $stage = $event->requestContext['stage'] ?? null;
        $file = $this->find($path) ?? (is_string($stage) && str_starts_with($path, "/$stage/")
            ? $this->find(substr($path, strlen($stage) + 1))
            : null);
        $facts = $file === null ? false : Quietly::call(static fn () => stat($file));
        if ($file === null || $facts === false) {
            return null;
        }
        // A larger one is served in parts, which are read as they are asked for.
        $whole = $facts['size'] > self::LIMIT ? null : Quietly::call(static fn () => file_get_contents($file));
        // Of the content: builds set the times of files to the same moment, whatever is in them.
        $hash = match ($whole) {
            false => false,
            null => $this->hashOfLarge($file, $facts),
            default => hash('xxh128', $whole),
        };
        if ($hash === false) {
            return null;
        }
        $tag = "\"$hash\"";
        $modified = $facts['mtime'] > self::EARLIEST ? $facts['mtime'] : null;
        $fields = [['ETag', $tag]];
        if ($modified !== null) {
            $fields[] = ['Last-Modified', self::date($modified)];
        }
        if (self::isKnown($event->headers, $tag, $modified)) {
            return new CgiResponse(304, $fields, '');
        }
        $suffix = strtolower(pathinfo($file, PATHINFO_EXTENSION));
        $fields[] = ['Content-Type', self::TYPES[$suffix] ?? 'application/octet-stream'];
        $fields[] = ['Accept-Ranges', 'bytes'];
        if ($event->method === 'HEAD') {
            return new CgiResponse(200, [...$fields, ['Content-Length', (string) $facts['size']]], '');
        }
        $range = self::isRangeOf($event->headers, $tag, $modified)
            ? ByteRange::of($event->headers['range'] ?? '', $facts['size'], self::LIMIT)
            : null;
        if ($range === false) {
            return new CgiResponse(416, [...$fields, ['Content-Range', "bytes */{$facts['size']}"]], '');
        }
        if ($range === null && $facts['size'] > self::LIMIT) {
            throw new InvocationFailure('Function.ResponseSizeTooLarge', sprintf(
                'the file %s has %d bytes; Lambda takes answers of up to about %.1f MB of bytes: serve it from S3',
                $event->path,
                $facts['size'],
                self::LIMIT / 1e6,
            ));
        }
        if ($range === null) {
            return new CgiResponse(200, $fields, $whole ?? '');
        }
        $part = $whole === null
            ? Quietly::call(static fn () => file_get_contents($file, false, null, $range->first, $range->length()))
            : substr($whole, $range->first, $range->length());

        return $part === false
            ? null
            : new CgiResponse(206, [...$fields, ['Content-Range', $range->header($facts['size'])]], $part);
    }

    /**
     * Once for a file: each of its parts carries the hash of all of it.
     *
     * @param array<int|string, int> $facts of the file, from stat()
     */
    private function hashOfLarge(string $file, array $facts): string|false
    {
        $key = "$file {$facts['ino']} {$facts['size']} {$facts['mtime']}";
        $this->hashes[$key] ??= Quietly::call(static fn () => hash_file('xxh128', $file));

        return $this->hashes[$key];
    }

    private static function date(int $seconds): string
    {
        return gmdate('D, d M Y H:i:s', $seconds) . ' GMT';
    }

    /**
     * Whether a range is of the file as it is: `If-Range` may say of which one it was meant.
     *
     * @param array<string, string> $headers
     */
    private static function isRangeOf(array $headers, string $tag, ?int $modified): bool
    {
        $meant = trim($headers['if-range'] ?? $tag);

        return $meant === $tag || ($modified !== null && $meant === self::date($modified));
    }

    private function find(string $path): ?string
    {
        if (str_contains($path, "\0") || preg_match('{/\.(?!well-known(?:/|$))}', $path) === 1) {
            return null;
        }
        $file = realpath($this->root . $path);
        if ($file === false || !str_starts_with($file, $this->root . '/') || !is_file($file)) {
            return null;
        }
        $name = substr($file, strlen($this->root));
        $isHidden = preg_match(self::SOURCE, basename($file)) === 1
            || preg_match('{/\.(?!well-known(?:/|$))}', $name) === 1;

        return $isHidden || str_ends_with($path, '/') ? null : $file;
    }

    /** @param array<string, string> $headers */
    private static function isKnown(array $headers, string $tag, ?int $modified): bool
    {
        if (isset($headers['if-none-match'])) {
            $tags = array_map(
                static fn (string $one) => preg_replace('{^W/}', '', trim($one)),
                explode(',', $headers['if-none-match']),
            );

            return in_array($tag, $tags, true) || in_array('*', $tags, true);
        }
        $since = strtotime($headers['if-modified-since'] ?? '');

        return $since !== false && $modified !== null && $modified <= $since;
    }
}
