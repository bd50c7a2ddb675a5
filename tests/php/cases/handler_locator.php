<?php

declare(strict_types=1);

use RuntimeBuilder\Handler\HandlerLocator;
use RuntimeBuilder\InitFailure;
use RuntimeBuilder\Tests\Results;

/** A project with these files, in a folder that goes away at the end. */
$project = static function (array $files): string {
    $folder = sys_get_temp_dir() . '/locator-' . bin2hex(random_bytes(6));
    foreach ($files as $name => $content) {
        $path = "$folder/$name";
        is_dir(dirname($path)) || mkdir(dirname($path), 0700, true);
        file_put_contents($path, $content);
    }
    register_shutdown_function(static function () use ($folder, $files): void {
        array_map(static fn ($name) => unlink("$folder/$name"), array_keys($files));
        is_dir("$folder/vendor") && rmdir("$folder/vendor");
        rmdir($folder);
    });

    return $folder;
};
$root = $project([
    'closure.php' => '<?php return fn ($event) => ["closure", $event];',
    'scope.php' => '<?php $seen = get_defined_vars(); return fn () => $seen;',
    'object.php' => '<?php return new class { public function handle($event) { return ["handle", $event]; } };',
    'invokable.php' => '<?php return new class { public function __invoke($event) { return ["invoke", $event]; } };',
    'functions.php' => '<?php function locator_test($event) { return ["function", $event]; }',
    'nothing.php' => '<?php $x = 1;',
    'number.php' => '<?php return 7;',
    'broken.php' => "<?php\n\nreturn function ( {",
    'throws.php' => '<?php throw new RuntimeException("no database");',
    'vendor/autoload.php' => '<?php spl_autoload_register(function ($class) { if ($class === "Shop\\\\Orders") { eval(\'namespace Shop;
        class Orders { private string $made; public function __construct() { $this->made = "made"; }
        public static function count($event) { return ["static", $event]; }
        public function create($event) { return [$this->made, $event]; }
        private function secret() {} public function __invoke($event) { return ["invoked", $event]; } }\'); } });',
]);
$locator = new HandlerLocator($root);
$reason = static function (Results $t, string $handler, string $errorType, string $part) use ($locator): void {
    $error = $t->throws(InitFailure::class, $part, static fn () => $locator->locate($handler));
    assert($error instanceof InitFailure);
    $t->same($errorType, $error->errorType(), $handler);
};

return [
    'every way to name a handler' => static function (Results $t) use ($locator, $root): void {
        foreach ([
            'closure.php' => 'closure', 'closure' => 'closure', "$root/closure.php" => 'closure', 'object.php' => 'handle',
            'invokable.php' => 'invoke', 'functions.php:locator_test' => 'function', 'Shop\Orders::count' => 'static',
            'Shop\Orders::create' => 'made', '\Shop\Orders::create' => 'made', 'Shop\Orders' => 'invoked',
        ] as $handler => $what) {
            // A file that defines a function can be loaded once only.
            $t->same([$what, 'e'], ($locator->locate($handler))('e'), $handler);
        }
    },
    'a file sees neither our variables nor our class' => static function (Results $t) use ($locator): void {
        $handler = $locator->locate('scope.php');
        $t->same([], $handler());
        $t->same(null, (new ReflectionFunction($handler))->getClosureScopeClass()?->name);
    },
    'what is wrong has a reason' => static function (Results $t) use ($reason): void {
        $reason($t, '', 'Runtime.MalformedHandlerName', 'no handler is set');
        $reason($t, 'nope.php', 'Runtime.NoSuchHandler', 'nope.php');
        $reason($t, 'nope.php:run', 'Runtime.NoSuchHandler', 'nope.php');
        $reason($t, 'closure.php:nope', 'Runtime.HandlerNotFound', 'nope');
        $reason($t, 'nothing.php', 'Runtime.HandlerNotFound', 'returns nothing');
        $reason($t, 'number.php', 'Runtime.HandlerNotFound', 'type int');
        $reason($t, 'broken.php', 'Runtime.UserCodeSyntaxError', 'broken.php:3');
        $reason($t, 'throws.php', 'Runtime.HandlerLoadError', 'RuntimeException: no database');
        $reason($t, 'Shop\Nope::run', 'Runtime.NoSuchHandler', 'Shop\Nope');
        $reason($t, 'Shop\Orders::nope', 'Runtime.HandlerNotFound', 'nope');
        $reason($t, 'Shop\Orders::secret', 'Runtime.HandlerNotFound', 'not public');
    },
];
