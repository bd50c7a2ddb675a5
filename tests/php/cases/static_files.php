<?php

declare(strict_types=1);

use RuntimeBuilder\InitFailure;
use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\Tests\Results;
use RuntimeBuilder\Web\CgiResponse;
use RuntimeBuilder\Web\HttpEvent;
use RuntimeBuilder\Web\StaticFiles;

$base = sys_get_temp_dir() . '/static-' . getmypid();
foreach (['public/css', 'public/.git', 'public/.well-known', 'public/real.php.d'] as $folder) {
    is_dir("$base/$folder") || mkdir("$base/$folder", 0700, true);
}
file_put_contents("$base/secret.txt", 'secret');
file_put_contents("$base/public/css/a b.css", 'a {}');
file_put_contents("$base/public/index.php", '<?php');
file_put_contents("$base/public/old.PHP.bak", '<?php');
file_put_contents("$base/public/.git/config", 'secret');
file_put_contents("$base/public/.env", 'secret');
file_put_contents("$base/public/.well-known/security.txt", 'Contact: x');
file_put_contents("$base/public/data", "\xff\xfe");
is_link("$base/public/out.txt") || symlink("$base/secret.txt", "$base/public/out.txt");
touch("$base/public/css/a b.css", 1_700_000_000);
ftruncate(fopen("$base/public/huge.bin", 'wb'), 5_000_000);

$files = StaticFiles::in("$base/public");
$tag = '"' . hash('xxh128', 'a {}') . '"';
$get = static fn (string $path, array $headers = [], string $method = 'GET'): ?CgiResponse => $files->answer(
    HttpEvent::of([
        'version' => '2.0',
        'rawPath' => $path,
        'headers' => $headers,
        'requestContext' => ['http' => ['method' => $method]],
    ]),
);

return [
    'a file with its type, tag and date' => static function (Results $t) use ($get, $tag): void {
        $answer = $get('/css/a%20b.css');
        $t->same(200, $answer?->status);
        $t->same('a {}', $answer?->body);
        $t->same('text/css; charset=utf-8', $answer?->header('content-type'));
        $t->same('Tue, 14 Nov 2023 22:13:20 GMT', $answer?->header('last-modified'));
        $t->same($tag, $answer?->header('etag'));
        $t->same('application/octet-stream', $get('/data')?->header('content-type'));
        $t->same('Contact: x', $get('/.well-known/security.txt')?->body);
    },
    'a part of a file' => static function (Results $t) use ($get, $tag): void {
        $part = static function (string $range, array $more = [], string $path = '/css/a%20b.css') use ($get): array {
            $answer = $get($path, ['range' => $range] + $more);

            return [$answer?->status, $answer?->body, $answer?->header('content-range')];
        };
        $t->same([206, 'a {', 'bytes 0-2/4'], $part('bytes=0-2'));
        $t->same([206, '{}', 'bytes 2-3/4'], $part('bytes=2-'));
        $t->same([206, '{}', 'bytes 2-3/4'], $part('bytes=2-900'));
        $t->same([206, '}', 'bytes 3-3/4'], $part('Bytes=-1'));
        $t->same([206, 'a {}', 'bytes 0-3/4'], $part('bytes=-9'));
        foreach (['bytes=4-', 'bytes=9-12', 'bytes=-0'] as $beyond) {
            $t->same([416, '', 'bytes */4'], $part($beyond), $beyond);
        }
        $ignored = ['bytes=0-1,3-3', 'lines=1-2', 'bytes=3-1', 'bytes=-', 'bytes=a-b', '', 'bytes=-' . str_repeat('9', 20)];
        foreach ($ignored as $no) {
            $t->same([200, 'a {}', ''], $part($no), $no);
        }
        $t->same(206, $part('bytes=0-2', ['if-range' => $tag])[0]);
        $t->same(206, $part('bytes=0-2', ['if-range' => 'Tue, 14 Nov 2023 22:13:20 GMT'])[0]);
        $t->same(200, $part('bytes=0-2', ['if-range' => "W/$tag"])[0]);
        $t->same(200, $part('bytes=0-2', ['if-range' => 'Tue, 14 Nov 2023 22:13:21 GMT'])[0]);
        $t->same(304, $part('bytes=0-2', ['if-none-match' => $tag])[0]);
        $t->same('bytes', $get('/css/a%20b.css')?->header('accept-ranges'));
        $head = $get('/css/a%20b.css', ['range' => 'bytes=0-1'], 'HEAD');
        $t->same([200, '', '4'], [$head?->status, $head?->body, $head?->header('content-length')]);
    },
    'of a file that is larger than an answer every part can be had' => static function (Results $t) use ($get): void {
        $answer = $get('/huge.bin', ['range' => 'bytes=0-']);
        $t->same([206, 'bytes 0-4399999/5000000'], [$answer?->status, $answer?->header('content-range')]);
        $t->same(4_400_000, strlen($answer?->body ?? ''));
        $answer = $get('/huge.bin', ['range' => 'bytes=4400000-']);
        $t->same([206, 'bytes 4400000-4999999/5000000'], [$answer?->status, $answer?->header('content-range')]);
        $t->same(600_000, strlen($answer?->body ?? ''));
        $head = $get('/huge.bin', [], 'HEAD');
        $t->same([200, '5000000'], [$head?->status, $head?->header('content-length')]);
    },
    'a client that has the file gets no bytes' => static function (Results $t) use ($get, $tag): void {
        foreach ([$tag, "W/$tag", "\"x\", $tag", '*'] as $known) {
            $answer = $get('/css/a%20b.css', ['if-none-match' => $known]);
            $t->same([304, ''], [$answer?->status, $answer?->body], $known);
        }
        $since = static fn (string $date) => $get('/css/a%20b.css', ['if-modified-since' => $date])?->status;
        $t->same(304, $since('Tue, 14 Nov 2023 22:13:20 GMT'));
        $t->same(200, $since('Tue, 14 Nov 2023 22:13:19 GMT'));
        $t->same(200, $since('never'));
        $both = ['if-none-match' => '"other"', 'if-modified-since' => 'Tue, 14 Nov 2023 22:13:20 GMT'];
        $t->same(200, $get('/css/a%20b.css', $both)?->status);
    },
    'a time that a build has set for all files is none' => static function (Results $t) use ($get, $base): void {
        touch("$base/public/data", 0);
        clearstatcache();
        $answer = $get('/data', ['if-modified-since' => 'Tue, 14 Nov 2023 22:13:20 GMT']);
        $t->same([200, ''], [$answer?->status, $answer?->header('last-modified')]);
    },
    'HEAD: the length, no bytes' => static function (Results $t) use ($get): void {
        $answer = $get('/css/a%20b.css', [], 'HEAD');
        $t->same([200, '', '4'], [$answer?->status, $answer?->body, $answer?->header('content-length')]);
    },
    'a named stage is no folder' => static function (Results $t) use ($files): void {
        $of = static fn (string $path, string $stage): ?CgiResponse => $files->answer(HttpEvent::of([
            'version' => '2.0', 'rawPath' => $path, 'requestContext' => ['stage' => $stage, 'http' => ['method' => 'GET']],
        ]));
        $t->same('a {}', $of('/dev/css/a%20b.css', 'dev')?->body);
        $t->same('a {}', $of('/css/a%20b.css', '$default')?->body);
        $t->same([null, null], [$of('/dev/css/a%20b.css', 'prod'), $of('/dev/.env', 'dev')]);
    },
    'what is the application\'s, or nobody\'s' => static function (Results $t) use ($get): void {
        $paths = ['/', '/css', '/css/', '/css/a%20b.css/', '/nope.txt', '/index.php', '/old.PHP.bak', '/.env',
            '/.git/config', '/css/../.env', '/../secret.txt', '/%2e%2e/secret.txt', '/css/%2e%2e/%2e%2e/secret.txt',
            '/out.txt', "/data%00.png", '/css//../../secret.txt'];
        foreach ($paths as $path) {
            $t->same(null, $get($path), $path);
        }
        $t->same(null, $get('/css/a%20b.css', [], 'POST'));
    },
    'a file that no answer can hold is told' => static fn (Results $t) => $t->throws(
        InvocationFailure::class,
        'the file /huge.bin has 5000000 bytes',
        static fn () => $get('/huge.bin'),
    ),
    'a folder that is not there stops the start' => static fn (Results $t) => $t->throws(
        InitFailure::class,
        "RUNTIMEBUILDER_STATIC is 'nope', and there is no folder",
        static fn () => StaticFiles::in('nope'),
    ),
];
