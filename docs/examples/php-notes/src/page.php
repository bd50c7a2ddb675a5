<?php declare(strict_types=1); ?>
<!DOCTYPE html>
<html lang="en" data-theme="<?= $theme ?>">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Notes</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
<main>
  <header>
    <h1>Notes</h1>
    <a id="theme" href="/theme?is=<?= $theme === 'dark' ? 'light' : 'dark' ?>"><?= $theme === 'dark' ? 'Light' : 'Dark' ?></a>
  </header>
  <form method="post" action="/notes" enctype="multipart/form-data">
    <label>Note <textarea name="text" rows="3"></textarea></label>
    <label>Picture (PNG) <input type="file" name="picture" accept="image/png"></label>
    <button>Keep</button>
  </form>
  <?php if ($all === []): ?>
    <p class="empty">Nothing noted yet.</p>
  <?php endif ?>
  <ol>
    <?php foreach ($all as $number => $note): ?>
      <li>
        <p><?= nl2br(htmlspecialchars($note['text'])) ?></p>
        <?php if ($note['picture']): ?>
          <img src="/pictures/<?= $number ?>" alt="Picture of note <?= $number + 1 ?>">
        <?php endif ?>
      </li>
    <?php endforeach ?>
  </ol>
</main>
