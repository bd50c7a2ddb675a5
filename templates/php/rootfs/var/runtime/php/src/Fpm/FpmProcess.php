<?php

declare(strict_types=1);

namespace RuntimeBuilder\Fpm;

use RuntimeBuilder\InitFailure;
use RuntimeBuilder\Net\ConnectionLost;
use RuntimeBuilder\Process\ProcessTable;

/** PHP-FPM: its master, a child of ours, and the one worker. */
final class FpmProcess
{
    private const READY_SECONDS = 8.0;
    private const DIRECTORY = '/tmp/.runtimebuilder';

    /** As in php-fpm.conf. */
    public const SOCKET = self::DIRECTORY . '/php-fpm.sock';
    private const WORKER_TITLE = 'php-fpm: pool runtimebuilder';

    /** @var resource|null */
    private $master = null;

    public function __construct(
        private readonly string $program,
        private readonly string $configuration,
        private readonly FastCgiClient $client,
    ) {
    }

    /**
     * Starts PHP-FPM and waits until it takes a connection.
     *
     * @throws InitFailure
     */
    public function start(): void
    {
        $this->removeLeftovers();
        if (!is_dir(self::DIRECTORY) && !mkdir(self::DIRECTORY, 0700) && !is_dir(self::DIRECTORY)) {
            throw new InitFailure('FpmStartFailed', 'the folder ' . self::DIRECTORY . ' cannot be made');
        }
        $command = [$this->program, '--nodaemonize', '--force-stderr', '--fpm-config', $this->configuration];
        if (ProcessTable::userId() === 0) {
            $command[] = '--allow-to-run-as-root'; // `docker run`; on Lambda nobody is root
        }
        // Its output is ours: no pipe that could fill up and stop it.
        $master = proc_open($command, [0 => ['file', '/dev/null', 'r']], $pipes);
        if ($master === false) {
            throw new InitFailure('FpmStartFailed', "{$this->program} could not be started");
        }
        $this->master = $master;
        $this->waitUntilReady();
    }

    public function isRunning(): bool
    {
        return $this->master !== null && proc_get_status($this->master)['running'];
    }

    /** Ends master, worker and what the application started, whatever state they are in; within about 0.1 s. */
    public function stop(): void
    {
        $this->client->disconnect();
        $master = $this->master;
        if ($master !== null) {
            $family = ProcessTable::descendants(proc_get_status($master)['pid']);
            proc_terminate($master, ProcessTable::SIGTERM); // passes the worker's last output on
            for ($waited = 0; $waited < 50 && $this->isRunning(); $waited++) {
                usleep(2_000);
            }
            if ($this->isRunning()) {
                proc_terminate($master, ProcessTable::SIGKILL);
            }
            ProcessTable::signal($family, ProcessTable::SIGKILL);
            proc_close($master);
            $this->master = null;
            ProcessTable::reap(...$family);
        }
        $this->removeLeftovers();
    }

    /** A killed environment's /tmp stays, and a killed master's worker lives on. */
    private function removeLeftovers(): void
    {
        $masterTitle = "php-fpm: master process ({$this->configuration})";
        for ($tries = 0; $tries < 100; $tries++) {
            $left = [...ProcessTable::titled($masterTitle), ...ProcessTable::titled(self::WORKER_TITLE)];
            if ($left === []) {
                break;
            }
            ProcessTable::signal($left, ProcessTable::SIGKILL);
            ProcessTable::reap(...$left);
            usleep(1_000);
        }
        if (file_exists(self::SOCKET)) {
            unlink(self::SOCKET);
        }
    }

    private function waitUntilReady(): void
    {
        $giveUp = microtime(true) + self::READY_SECONDS;
        for (;;) {
            try {
                $this->client->connect();

                return;
            } catch (ConnectionLost $notYet) {
                if (!$this->isRunning()) {
                    $this->stop();
                    throw new InitFailure(
                        'FpmStartFailed',
                        'PHP-FPM ended while it started; its own message is in the log above this line',
                    );
                }
                if (microtime(true) > $giveUp) {
                    $this->stop();
                    throw new InitFailure(
                        'FpmStartFailed',
                        sprintf('PHP-FPM did not start within %.0f s: %s', self::READY_SECONDS, $notYet->getMessage()),
                    );
                }
                usleep(2_000);
            }
        }
    }
}
