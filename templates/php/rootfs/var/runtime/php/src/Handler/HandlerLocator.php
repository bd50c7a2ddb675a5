<?php

declare(strict_types=1);

namespace RuntimeBuilder\Handler;

use Closure;
use ParseError;
use RuntimeBuilder\InitFailure;
use RuntimeBuilder\Psr\RequestHandler;
use RuntimeBuilder\Reportable;
use RuntimeBuilder\Setting;
use Throwable;

/**
 * Finds the callable that a handler setting names:
 *
 *     index.php            the file returns a callable, or an object with handle() or __invoke()
 *     index                the same, `.php` added
 *     index.php:run        the file defines the function run
 *     App\Orders::create   static method, or method of `new App\Orders()`; needs an autoloader
 *     App\Orders           the same with handle() or __invoke()
 *
 * An object that is a PSR-15 request handler gets HTTP events as PSR-7 requests.
 */
final class HandlerLocator
{
    /** @param string $root folder of the project's code */
    public function __construct(private readonly string $root)
    {
    }

    /** @throws InitFailure */
    public function locate(string $handler): Closure
    {
        if (trim($handler) === '') {
            throw new InitFailure(
                'MalformedHandlerName',
                'no handler is set; name one, for example index.php (an image takes it from CMD)',
            );
        }
        $autoload = self::autoloader($this->root);
        if ($autoload !== null) {
            $this->load($autoload);
        }
        $method = '/^(?<class>\\\\?[A-Za-z_\x80-\xff][\w\x80-\xff\\\\]*)::(?<method>\w+)$/D';
        if (preg_match($method, $handler, $match) === 1) {
            return $this->method($match['class'], $match['method']);
        }
        if (preg_match('/^(?<file>.+):(?<function>[\w\\\\]+)$/', $handler, $match) === 1) {
            return $this->functionOfFile($match['file'], $match['function']);
        }
        $file = $this->file($handler);
        if ($file === null && str_contains($handler, '\\') && $this->classExists($handler)) {
            return $this->callableOf($this->make($handler), "the class $handler");
        }
        if ($file === null) {
            throw $this->noSuchFile($handler);
        }

        return $this->callableOf($this->load($file), $handler);
    }

    /**
     * The file that makes the project's classes loadable: RUNTIMEBUILDER_AUTOLOAD, else Composer's when it is there.
     *
     * @throws InitFailure when the file that the setting names is not there
     */
    public static function autoloader(string $root): ?string
    {
        $ours = 'RUNTIMEBUILDER_AUTOLOAD';
        $variable = Setting::text($ours) === null ? 'BREF_AUTOLOAD_PATH' : $ours;
        $named = Setting::text($variable);
        if ($named === null) {
            return is_file("$root/vendor/autoload.php") ? "$root/vendor/autoload.php" : null;
        }
        $path = str_starts_with($named, '/') ? $named : "$root/$named";
        if (!is_file($path)) {
            throw new InitFailure(
                'InvalidConfiguration',
                "$variable is '$named', and there is no file $path",
            );
        }

        return $path;
    }

    private function functionOfFile(string $name, string $function): Closure
    {
        $file = $this->file($name) ?? throw $this->noSuchFile($name);
        $this->load($file);
        if (!function_exists($function)) {
            throw new InitFailure('HandlerNotFound', "$name does not define the function $function");
        }

        return Closure::fromCallable($function);
    }

    private function method(string $class, string $method): Closure
    {
        if (!$this->classExists($class)) {
            throw new InitFailure(
                'NoSuchHandler',
                "the class $class was not found" . (($autoload = self::autoloader($this->root)) !== null
                    ? " by $autoload"
                    : "; there is no {$this->root}/vendor/autoload.php that could load it"),
            );
        }
        if (!method_exists($class, $method)) {
            throw new InitFailure('HandlerNotFound', "the class $class has no method $method");
        }
        $reflection = new \ReflectionMethod($class, $method);
        if (!$reflection->isPublic()) {
            throw new InitFailure('HandlerNotFound', "the method $class::$method is not public");
        }
        if ($reflection->isStatic()) {
            return $reflection->getClosure(null) ?? throw new InitFailure('HandlerNotFound', "$class::$method");
        }

        return $reflection->getClosure($this->make($class));
    }

    private function callableOf(mixed $value, string $where): Closure
    {
        if ($value instanceof \Psr\Http\Server\RequestHandlerInterface) {
            return Closure::fromCallable(new RequestHandler($value));
        }
        if (is_object($value) && !$value instanceof Closure && is_callable([$value, 'handle'])) {
            return Closure::fromCallable([$value, 'handle']);
        }
        if (is_callable($value)) {
            return Closure::fromCallable($value);
        }
        // `require` gives 1 for a file without a return statement.
        $what = $value === 1 ? 'nothing' : 'a value of type ' . get_debug_type($value);
        throw new InitFailure(
            'HandlerNotFound',
            "$where returns $what; it has to return a function, or an object with handle() or __invoke()",
        );
    }

    private function file(string $name): ?string
    {
        $path = str_starts_with($name, '/') ? $name : "{$this->root}/$name";
        foreach ([$path, "$path.php"] as $candidate) {
            if (is_file($candidate)) {
                return $candidate;
            }
        }

        return null;
    }

    private function noSuchFile(string $name): InitFailure
    {
        return new InitFailure('NoSuchHandler', "the handler file $name does not exist in {$this->root}");
    }

    /** Runs a file of the project; it sees no variable and no class of ours as its own scope. */
    private function load(string $file): mixed
    {
        $require = Closure::bind(static fn (): mixed => require func_get_arg(0), null, null);

        return $this->guard($file, static fn (): mixed => $require($file));
    }

    private function make(string $class): object
    {
        /** @var class-string $class */
        return $this->guard("the constructor of $class", static fn (): object => new $class());
    }

    private function classExists(string $class): bool
    {
        return $this->guard("the class $class", static fn (): bool => class_exists($class));
    }

    /**
     * @template T
     * @param callable(): T $code
     * @return T
     */
    private function guard(string $what, callable $code): mixed
    {
        try {
            return $code();
        } catch (Reportable $failure) {
            throw $failure;
        } catch (ParseError $error) {
            throw new InitFailure(
                'UserCodeSyntaxError',
                "{$error->getFile()}:{$error->getLine()}: {$error->getMessage()}",
                $error,
            );
        } catch (Throwable $error) {
            $type = explode("\0", $error::class)[0];
            throw new InitFailure('HandlerLoadError', "$what threw $type: {$error->getMessage()}", $error);
        }
    }
}
