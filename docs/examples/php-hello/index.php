<?php

declare(strict_types=1);

// A web application of one file. The runtime hands every request to it, as a web server would.

$name = $_GET['name'] ?? 'Lambda';
$rows = [
    'PHP' => PHP_VERSION . ' (' . PHP_SAPI . ')',
    'request' => $_SERVER['REQUEST_METHOD'] . ' ' . $_SERVER['REQUEST_URI'],
    'memory' => ($_SERVER['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] ?? '?') . ' MB',
    'function' => $_SERVER['AWS_LAMBDA_FUNCTION_NAME'] ?? '?',
];

header('Content-Type: text/html; charset=utf-8');
?>
<!doctype html>
<html lang="en">
<title>Hello, <?= htmlspecialchars($name) ?></title>
<h1>Hello, <?= htmlspecialchars($name) ?>!</h1>
<ul>
<?php foreach ($rows as $label => $value) : ?>
  <li><?= htmlspecialchars("$label: $value") ?></li>
<?php endforeach; ?>
</ul>
</html>
