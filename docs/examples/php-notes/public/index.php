<?php

declare(strict_types=1);

/* A small web application on php-82-fpm: notes with pictures. Nothing in it knows of Lambda. */

require __DIR__ . '/../src/Notes.php';

session_start(['cookie_httponly' => true, 'cookie_samesite' => 'Lax']);
$notes = new Notes($_SESSION);
$route = $_SERVER['REQUEST_METHOD'] . ' ' . parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);

if ($route === 'GET /') {
    $theme = ($_COOKIE['theme'] ?? '') === 'dark' ? 'dark' : 'light';
    $all = $notes->all();
    require __DIR__ . '/../src/page.php';
} elseif ($route === 'POST /notes') {
    $picture = ($_FILES['picture']['error'] ?? UPLOAD_ERR_NO_FILE) === UPLOAD_ERR_OK
        ? (string) file_get_contents($_FILES['picture']['tmp_name'])
        : null;
    $notes->add(trim($_POST['text'] ?? ''), $picture);
    header('Location: /', true, 303);
} elseif ($route === 'GET /theme') {
    $theme = ($_GET['is'] ?? '') === 'dark' ? 'dark' : 'light';
    setcookie('theme', $theme, ['path' => '/', 'samesite' => 'Lax', 'expires' => time() + 86400]);
    header('Location: /', true, 302);
} elseif (preg_match('{^GET /pictures/(\d+)$}', $route, $match) === 1 && $notes->picture((int) $match[1]) !== null) {
    header('Content-Type: image/png');
    header('Content-Disposition: inline; filename="note-' . $match[1] . '.png"');
    echo $notes->picture((int) $match[1]);
} else {
    http_response_code(404);
    header('Content-Type: text/plain; charset=utf-8');
    echo "There is no $route here.\n";
}
