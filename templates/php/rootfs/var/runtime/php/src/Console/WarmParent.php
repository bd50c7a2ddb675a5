<?php

declare(strict_types=1);

namespace RuntimeBuilder\Console;

use RuntimeBuilder\Environment;
use RuntimeBuilder\ErrorReport;
use RuntimeBuilder\FatalError;
use RuntimeBuilder\Handler\HandlerLocator;
use RuntimeBuilder\InitFailure;
use RuntimeBuilder\State\Channel;
use RuntimeBuilder\State\Vanishing;
use Throwable;

/** The process that has loaded the application's autoloader and makes copies of itself. Its output is the commands'. */
final class WarmParent
{
    private bool $starting = true;
    private readonly int $process;

    private function __construct(private readonly Channel $channel)
    {
        $this->process = (int) getmypid();
    }

    /**
     * Serves the runtime client until that ends. Returns in a copy only: the command's script and arguments.
     *
     * @return non-empty-list<string>
     */
    public static function run(): array
    {
        $stream = fopen('php://fd/3', 'r+b');
        if ($stream === false) {
            fwrite(STDERR, "warm-console.php is started by the runtime client, with a channel as file descriptor 3\n");
            exit(1);
        }
        if (is_dir(Environment::taskRoot())) {
            chdir(Environment::taskRoot());
        }
        $parent = new self(new Channel($stream));
        $parent->load();

        return $parent->serve();
    }

    private function load(): void
    {
        FatalError::reserveMemory();
        register_shutdown_function($this->shutDown(...));
        try {
            $file = HandlerLocator::autoloader(Environment::taskRoot());
            if ($file !== null) {
                (static fn (): mixed => require func_get_arg(0))($file);
            }
        } catch (Throwable $error) {
            $this->starting = false;
            $this->fail(ErrorReport::of($error, 'Runtime'));
            exit(1);
        }
        $this->starting = false;
        // What every copy needs is loaded once, here.
        array_map('class_exists', [Environment::class, FatalError::class, Vanishing::class]);
        gc_collect_cycles();
        gc_mem_caches();
        $this->channel->send(Channel::READY);
    }

    /** @return non-empty-list<string> */
    private function serve(): array
    {
        for (;;) {
            $message = $this->channel->receive();
            if ($message === null) {
                exit(0); // the runtime client has ended
            }
            /** @var array{arguments: non-empty-list<string>, environment: array<string, string|null>} $command */
            $command = unserialize($message[1], ['allowed_classes' => false]);
            $child = pcntl_fork();
            if ($child === 0) {
                $this->channel->close();
                mt_srand(random_int(PHP_INT_MIN, PHP_INT_MAX));
                foreach ($command['environment'] as $name => $value) {
                    Environment::set($name, $value);
                }

                return $command['arguments'];
            }
            $this->channel->send(Channel::STARTED, (string) $child);
            if ($child === -1) {
                continue;
            }
            while (pcntl_waitpid($child, $status) === -1 && pcntl_get_last_error() === PCNTL_EINTR) {
            }
            $signal = pcntl_wifsignaled($status) ? pcntl_wtermsig($status) : null;
            $code = $signal === Vanishing::SIGNAL ? 0 : null;
            $this->channel->send(Channel::ENDED, serialize([
                pcntl_wifexited($status) ? pcntl_wexitstatus($status) : $code,
                $code === null ? $signal : null,
            ]));
            while (pcntl_waitpid(-1, $status, WNOHANG) > 0) {
            }
        }
    }

    private function fail(ErrorReport $report): void
    {
        $this->channel->send(Channel::FAILURE, serialize($report));
    }

    private function shutDown(): void
    {
        if (!$this->starting || getmypid() !== $this->process) {
            return;
        }
        $fatal = FatalError::last();
        $this->fail($fatal === null
            ? ErrorReport::of(new InitFailure('ExitDuringInit', 'the autoloader called exit() while it was loaded'))
            : ErrorReport::ofFatal($fatal, 'Runtime'));
    }
}
