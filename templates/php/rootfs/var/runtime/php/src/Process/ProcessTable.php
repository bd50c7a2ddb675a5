<?php

declare(strict_types=1);

namespace RuntimeBuilder\Process;

use RuntimeBuilder\Quietly;

/** The processes that this one can see, read from /proc; signals without the posix extension. */
final class ProcessTable
{
    public const SIGKILL = 9;
    public const SIGTERM = 15;

    /**
     * @return list<int> processes whose title begins with `$title`, ascending; of this container only, should
     *                   those of others be visible
     */
    public static function titled(string $title): array
    {
        $found = [];
        $ours = self::container('self');
        foreach (self::ids() as $id) {
            if (str_starts_with(self::read("/proc/$id/cmdline"), $title)) {
                $theirs = self::container((string) $id);
                if ($theirs === $ours || $theirs === '') {
                    $found[] = $id;
                }
            }
        }

        return $found;
    }

    /** @return list<int> children of `$ancestor`, their children and so on */
    public static function descendants(int $ancestor): array
    {
        $parents = [];
        foreach (self::ids() as $id) {
            // pid (name) state ppid ...; the name may hold anything, also parentheses
            $stat = self::read("/proc/$id/stat");
            $fields = explode(' ', substr($stat, (int) strrpos($stat, ')') + 2));
            $parents[$id] = (int) ($fields[1] ?? 0);
        }
        $found = [];
        $generation = [$ancestor];
        while ($generation !== []) {
            $generation = array_keys(array_filter($parents, static fn (int $p) => in_array($p, $generation, true)));
            $generation = array_values(array_diff($generation, $found));
            array_push($found, ...$generation);
        }

        return $found;
    }

    /** @param list<int> $ids */
    public static function signal(array $ids, int $signal): void
    {
        if ($ids === []) {
            return;
        }
        if (function_exists('posix_kill')) {
            foreach ($ids as $id) {
                posix_kill($id, $signal);
            }

            return;
        }
        $kill = Quietly::call(static fn () => proc_open(
            ['/bin/sh', '-c', 'kill -s "$0" "$@" 2>/dev/null', (string) $signal, ...array_map('strval', $ids)],
            [],
            $pipes,
        ));
        if ($kill !== false) {
            proc_close($kill);
        }
    }

    /** Ends a process and all that it has started: SIGTERM, and SIGKILL after a tenth of a second. */
    public static function end(int $id): void
    {
        $all = [$id, ...self::descendants($id)];
        self::signal($all, self::SIGTERM);
        usleep(100_000);
        self::signal([$id, ...self::descendants($id), ...$all], self::SIGKILL);
    }

    /** Collects processes that were left to us as the first process of a container: else they stay zombies. */
    public static function reap(int ...$ids): void
    {
        if (!function_exists('pcntl_waitpid')) {
            return;
        }
        foreach ($ids as $id) {
            for ($tries = 0; $tries < 20 && pcntl_waitpid($id, $status, WNOHANG) === 0; $tries++) {
                usleep(1_000);
            }
        }
    }

    /** The effective user id of this process. */
    public static function userId(): int
    {
        if (function_exists('posix_geteuid')) {
            return posix_geteuid();
        }

        $status = self::read('/proc/self/status');

        return preg_match('/^Uid:\s+\d+\s+(\d+)/m', $status, $match) === 1 ? (int) $match[1] : -1;
    }

    /** @return list<int> */
    private static function ids(): array
    {
        $names = Quietly::call(static fn () => scandir('/proc', SCANDIR_SORT_NONE)) ?: [];
        $ids = array_map('intval', preg_grep('/^\d+$/', $names) ?: []);
        sort($ids);

        return $ids;
    }

    /** Names the process namespace; '' when that is not to be known (then it is not ours to signal either). */
    private static function container(string $id): string
    {
        return Quietly::call(static fn () => readlink("/proc/$id/ns/pid")) ?: '';
    }

    private static function read(string $file): string
    {
        // A process may end while we look.
        return Quietly::call(static fn () => file_get_contents($file)) ?: '';
    }
}
