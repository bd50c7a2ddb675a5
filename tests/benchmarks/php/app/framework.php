<?php

declare(strict_types=1);

// Stands for a framework's console: an autoloader, 120 classes of which the command needs all, a version printed.
require __DIR__ . '/vendor/autoload.php';

echo App\Kernel::version(), "\n";
