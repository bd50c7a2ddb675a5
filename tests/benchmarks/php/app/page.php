<?php

declare(strict_types=1);

echo 'hello ', strlen(file_get_contents('php://input'));
