"""A PSR-15 request handler as a function on the real image: with factories, and without any."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from runtimebuilder.build.execute import BuiltImage
from runtimebuilder.testing import LambdaContainer

PSR = Path(__file__).resolve().parents[1] / "php" / "psr.php"
HANDLER = """<?php

declare(strict_types=1);

require __DIR__ . '/psr.php';

return new class () implements Psr\\Http\\Server\\RequestHandlerInterface {
    public function handle(object $request): object
    {
        $factory = new Nyholm\\Psr7\\Factory\\Psr17Factory();

        return (new Nyholm\\Psr7\\Factory\\Message(['StatusCode' => 202, 'Headers' => ['X-By' => ['psr']]]))
            ->withBody($factory->createStream($request->getMethod() . ' ' . $request->getUri()));
    }
};
"""


def test_a_request_handler_serves_requests(built: Callable[..., BuiltImage], tmp_path: Path) -> None:
    (tmp_path / "index.php").write_text(HANDLER, encoding="utf-8")
    text = PSR.read_text(encoding="utf-8")
    (tmp_path / "psr.php").write_text(text, encoding="utf-8")
    image = built("php-82", base="debian-12").image_id
    with LambdaContainer(image, handler="index.php", code=tmp_path, timeout=20) as container:
        answer = container.request("PUT /orders?page=2")
        other = container.invoke({"Records": []})
    (tmp_path / "psr.php").write_text(text.replace("Psr17Factory", "NoFactory"), encoding="utf-8")
    with LambdaContainer(image, handler="index.php", code=tmp_path, timeout=20) as container:
        missing = container.invoke({})
    assert (answer.status, dict(answer.headers)["X-By"]) == (202, "psr")
    assert answer.body.startswith(b"PUT https://")
    assert answer.body.endswith(b"/orders?page=2")
    assert other.error is not None
    assert other.error.type == "Runtime.UnknownEvent"
    assert missing.error is not None
    assert missing.error.type == "Runtime.NoPsr17Factory"
    assert "nyholm/psr7" in missing.error.message
