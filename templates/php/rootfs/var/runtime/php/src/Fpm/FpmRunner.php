<?php

declare(strict_types=1);

namespace RuntimeBuilder\Fpm;

use Generator;
use RuntimeBuilder\Api\Invocation;
use RuntimeBuilder\Api\RuntimeApi;
use RuntimeBuilder\Context;
use RuntimeBuilder\Environment;
use RuntimeBuilder\InitFailure;
use RuntimeBuilder\InvocationFailure;
use RuntimeBuilder\Json;
use RuntimeBuilder\LargeJson;
use RuntimeBuilder\Log;
use RuntimeBuilder\Net\ConnectionLost;
use RuntimeBuilder\Net\Deadline;
use RuntimeBuilder\Net\TimedOut;
use RuntimeBuilder\Runner;
use RuntimeBuilder\Setting;
use RuntimeBuilder\Streaming\Body;
use RuntimeBuilder\Web\CgiResponse;
use RuntimeBuilder\Web\FastCgiParameters;
use RuntimeBuilder\Web\HttpEvent;
use RuntimeBuilder\Web\HttpResult;
use RuntimeBuilder\Web\StaticFiles;
use RuntimeBuilder\Web\UnknownEvent;

use function hrtime;
use function in_array;
use function is_array;
use function is_file;
use function json_decode;
use function max;
use function min;
use function sprintf;
use function str_starts_with;
use function strlen;
use function trim;

/** Serves HTTP events with PHP-FPM: the handler setting names the front controller, such as public/index.php. */
final class FpmRunner implements Runner
{
    /** Seconds, for an invocation that came without a deadline: the longest that Lambda knows. */
    private const NO_DEADLINE = 900.0;

    /** Nanoseconds in which PHP-FPM's master is not looked at again. */
    private const TRUST = 50_000_000;

    private readonly FastCgiClient $client;
    private readonly FpmProcess $fpm;
    private string $script = '';
    private ?FastCgiParameters $parameters = null;

    /** When PHP-FPM's master was seen last (nanoseconds of the monotonic clock). */
    private int $seen = 0;
    private bool $alwaysBinary = false;
    private bool $streams = false;
    private bool $isStreaming = false;
    private ?StaticFiles $files = null;

    /** Whether PHP-FPM has to be started again before the next event. */
    private bool $broken = false;

    /** @param string $program absolute path of php-fpm */
    public function __construct(string $program, string $configuration, private readonly RuntimeApi $api)
    {
        $this->client = new FastCgiClient(FpmProcess::SOCKET);
        $this->fpm = new FpmProcess($program, $configuration, $this->client);
    }

    public function start(): void
    {
        $this->script = self::script(Environment::handler());
        $this->streams = Setting::flag('RUNTIMEBUILDER_STREAMING');
        // Bref's variable counts where ours says nothing.
        $default = in_array(Setting::text('BREF_BINARY_RESPONSES'), [null, '0', 'false'], true) ? 'auto' : 'always';
        $this->alwaysBinary = Setting::choice('RUNTIMEBUILDER_BINARY', ['auto', 'always'], $default) === 'always';
        $folder = Setting::text('RUNTIMEBUILDER_STATIC');
        $this->files = $folder === null ? null : StaticFiles::in($folder);
        $this->fpm->start();
    }

    public function run(Invocation $invocation): string|Body
    {
        try {
            $event = strlen($invocation->event) < Json::LARGE
                ? json_decode($invocation->event, true, 512, JSON_THROW_ON_ERROR)
                : LargeJson::decode($invocation->event, true, 512);
        } catch (\JsonException $error) {
            throw new InvocationFailure('Runtime.UnmarshalError', 'the event is not JSON: ' . $error->getMessage());
        }
        if (is_array($event) && ($event['warmer'] ?? false) === true) {
            return '["Lambda is warm"]';
        }
        try {
            $event = HttpEvent::of($event);
        } catch (UnknownEvent $error) {
            throw new InvocationFailure('Runtime.UnknownEvent', $error->getMessage());
        }
        $result = new HttpResult($event, $this->alwaysBinary);
        $file = $this->files?->answer($event);
        if ($file !== null) {
            return Json::encode($result->of($file));
        }
        $this->makeReady();
        $params = ($this->parameters ??= new FastCgiParameters($this->script))->of($event, Context::of($invocation));
        if ($this->streams && $event->takesStreams) {
            [$head, $body] = CgiResponse::open($this->pieces($params, $event->body, $invocation));

            return Body::ofHttp($result->head($head), $body);
        }
        $output = $this->request($params, $event->body, $invocation);

        return Json::encode($result->of(CgiResponse::parse($output)));
    }

    public function settle(): void
    {
        $this->broken = $this->broken || $this->isStreaming; // nobody took the end
        $this->isStreaming = false;
        if ($this->broken || !$this->fpm->isRunning()) {
            $this->restart();
        }
        $this->seen = hrtime(true);
    }

    public function stop(): void
    {
        $this->fpm->stop();
    }

    /** @param array<string, string> $params */
    private function request(array $params, string $body, Invocation $invocation): string
    {
        $seconds = self::seconds($invocation);
        try {
            return $this->client->request($params, $body, Deadline::in($seconds));
        } catch (TimedOut | ConnectionLost | FastCgiProtocolError $problem) {
            throw $this->failure($problem, $params, $seconds);
        }
    }

    /**
     * @param array<string, string> $params
     * @return Generator<int, string>
     */
    private function pieces(array $params, string $body, Invocation $invocation): Generator
    {
        $seconds = self::seconds($invocation);
        $this->isStreaming = true;
        try {
            yield from $this->client->stream($params, $body, Deadline::in($seconds));
        } catch (TimedOut | ConnectionLost | FastCgiProtocolError $problem) {
            throw $this->failure($problem, $params, $seconds);
        }
        $this->isStreaming = false;
    }

    /** @param array<string, string> $params */
    private function failure(
        TimedOut|ConnectionLost|FastCgiProtocolError $problem,
        array $params,
        float $seconds,
    ): InvocationFailure {
        if ($problem instanceof TimedOut) {
            $this->broken = true;
            $this->fpm->stop();

            return new InvocationFailure('Function.Timeout', sprintf(
                'the application did not answer within %.1f s and was stopped just before the function\'s own timeout;'
                    . ' raise the timeout, or find what it waits for: %s %s',
                $seconds,
                $params['REQUEST_METHOD'],
                $params['REQUEST_URI'],
            ));
        }
        if ($problem instanceof ConnectionLost) {
            return new InvocationFailure(
                'Function.WorkerDied',
                "the PHP-FPM worker ended in the middle of the request ({$problem->getMessage()}); the log above may"
                    . ' hold its signal: SIGSEGV points to an extension, SIGKILL to memory',
            );
        }
        $this->broken = true;

        return new InvocationFailure('Function.BadResponse', $problem->getMessage());
    }

    /** Nothing has been sent yet: what is wrong now need not cost this event. */
    private function makeReady(): void
    {
        // The worker would serve on without its master; what happens to the worker is seen at its connection.
        if (hrtime(true) - $this->seen > self::TRUST && !$this->fpm->isRunning()) {
            Log::line('PHP-FPM is gone; starting it again');
            $this->restart();

            return;
        }
        try {
            $this->client->connect();
        } catch (ConnectionLost $lost) {
            Log::line("PHP-FPM takes no connection ({$lost->getMessage()}); starting it again");
            $this->restart();
        }
    }

    private function restart(): void
    {
        // Else the new process would inherit the connection to the Runtime API, and keep it open when we end.
        $this->api->disconnect();
        $this->fpm->stop();
        $this->fpm->start();
        $this->broken = false;
    }

    private static function seconds(Invocation $invocation): float
    {
        $remaining = $invocation->remainingSeconds() ?? self::NO_DEADLINE;

        return max(0.05, $remaining - self::margin($remaining));
    }

    /** Seconds kept for reporting a timeout ourselves: a fifth of the time left, 0.2 to 1. */
    private static function margin(float $remaining): float
    {
        return max(0.2, min(1.0, $remaining * 0.2));
    }

    private static function script(string $handler): string
    {
        if (trim($handler) === '') {
            throw new InitFailure(
                'MalformedHandlerName',
                'no handler is set; name the front controller, for example public/index.php',
            );
        }
        $path = str_starts_with($handler, '/') ? $handler : Environment::taskRoot() . "/$handler";
        if (!is_file($path)) {
            throw new InitFailure('NoSuchHandler', "the handler file $path does not exist");
        }

        return $path;
    }
}
