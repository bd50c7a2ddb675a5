"""What the PHP runtimes cost: `make bench`, or `python -m tests.benchmarks.php_runtimes`. Not a test.

Every figure is measured in the image itself, by a small Runtime API in C that starts the client in its own container,
on one CPU, over loopback. Beside each client of ours the same round measures its floor: the least that PHP (or C) can
do for the same event. What counts is the ratio; a round's figures are taken one right after the other, the table shows
the medians of all rounds. Docs: docs/benchmark.md.
"""

from __future__ import annotations

import argparse
import base64
import fnmatch
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from runtimebuilder import events

HERE = Path(__file__).resolve().parent / "php"
CLASSES = 120  # of the "framework"
MB = 1_000_000


@dataclass(frozen=True)
class Run:
    """One client with one event. `image`: the variant; `command`: what starts the client, {php} and {fpm} filled in."""

    image: str
    command: tuple[str, ...]
    event: str
    handler: str
    count: int = 0
    starts: int = 0
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A line of the table: a client of ours, its floor, and what is wanted of the two.

    `wanted`: at most so many times the floor, or (`limit`) at most so many seconds, or both.
    """

    name: str
    ours: Run
    floor: Run | None
    floor_name: str = ""
    wanted: float | None = None
    limit: float | None = None
    is_start: bool = False


def _ours(variant: str, event: str, handler: str, count: int = 0, starts: int = 0, **env: str) -> Run:
    """With the application of the handler's name as the task root: /bench/app holds no more than the floor loads."""
    if handler == "framework.php":
        env = {"LAMBDA_TASK_ROOT": "/bench/framework"} | env
    return Run(variant, ("/var/runtime/bootstrap",), event, handler, count, starts, env)


def _floor(variant: str, event: str, *words: str, count: int = 0, starts: int = 0) -> Run:
    return Run(
        variant, ("{php}", "-d", "opcache.preload=", "/bench/floor.php", *words), event, "", count, starts
    )


_FPM_FLOOR = ("fpm", "{fpm}", "/var/runtime/php/php-fpm.conf", "/bench/app/page.php")
_FUNCTION_FLOOR = ("function", "/bench/app/function.php")
SMALL, LARGE, GET, POST, COMMAND = "small", "large", "get", "post", "command"

ROWS = (
    Row(
        "function, small event",
        _ours("function", SMALL, "function.php", 20_000),
        _floor("function", SMALL, *_FUNCTION_FLOOR, count=20_000),
        "PHP loop",
        wanted=1.6,
    ),
    Row(
        "function, small event, against C",
        _ours("function", SMALL, "function.php", 20_000),
        Run("function", ("/bench/bare",), SMALL, "", 20_000),
        "C loop",
    ),
    Row(
        "function, state fork",
        _ours("function", SMALL, "function.php", 300, RUNTIMEBUILDER_STATE="fork"),
        _floor("function", SMALL, "fork", "/bench/app/function.php", count=300),
        "PHP fork",
        limit=0.0008,
    ),
    Row(
        "function, state process",
        _ours("function", SMALL, "function.php", 30, RUNTIMEBUILDER_STATE="process"),
        _floor("console", COMMAND, "console", "/bench/app/plain.php", count=30),
        "PHP spawn",
    ),
    Row(
        "function, echo of 5.9 MB",
        _ours("function", LARGE, "function.php", 40),
        _floor("function", LARGE, *_FUNCTION_FLOOR, count=40),
        "PHP loop",
        limit=0.015,
    ),
    Row(
        "console, a plain script",
        _ours("console", COMMAND, "plain.php", 30),
        _floor("console", COMMAND, "console", "/bench/app/plain.php", count=30),
        "PHP spawn",
        wanted=1.05,
    ),
    Row(
        "console, a framework's --version",
        _ours("console", COMMAND, "framework.php", 30),
        _floor("console", COMMAND, "console", "/bench/framework/framework.php", count=30),
        "PHP spawn",
        wanted=1.05,
    ),
    Row(
        "console, plain, state fork",
        _ours("console", COMMAND, "plain.php", 300, RUNTIMEBUILDER_STATE="fork"),
        _floor("console", COMMAND, "console-fork", "/bench/app/plain.php", count=300),
        "PHP fork",
        limit=0.0012,
    ),
    Row(
        "console, framework, state fork",
        _ours("console", COMMAND, "framework.php", 200, RUNTIMEBUILDER_STATE="fork"),
        _floor("console", COMMAND, "console-fork", "/bench/framework/framework.php", count=200),
        "PHP fork",
        limit=0.006,
    ),
    Row(
        "FPM, GET (HTTP API)",
        _ours("fpm", GET, "page.php", 4_000),
        _floor("fpm", GET, *_FPM_FLOOR, count=4_000),
        "PHP loop",
        wanted=1.3,
    ),
    Row(
        "FPM, POST of 1 MB in base64",
        _ours("fpm", POST, "page.php", 60),
        _floor("fpm", POST, *_FPM_FLOOR, count=60),
        "PHP loop",
        limit=0.007,
    ),
    Row(
        "start to first poll, function",
        _ours("function", SMALL, "function.php", starts=11),
        _floor("function", SMALL, *_FUNCTION_FLOOR, starts=11),
        "PHP loop",
        wanted=1.15,
        is_start=True,
    ),
    Row(
        "start to first poll, FPM",
        _ours("fpm", GET, "page.php", starts=11),
        _floor("fpm", GET, *_FPM_FLOOR, starts=11),
        "PHP loop",
        wanted=1.1,
        is_start=True,
    ),
)


class Bench:
    """The folder that every container sees as /bench, and the images."""

    def __init__(self, folder: Path, images: dict[str, str], cpu: int) -> None:
        self._folder = folder
        self._images = images
        self._cpu = cpu
        shutil.copytree(HERE / "app", folder / "app")
        shutil.copy(HERE / "floor.php", folder)
        for program in ("peer", "bare"):
            source = str(HERE / f"{program}.c")
            subprocess.run(["gcc", "-O2", "-static", "-o", str(folder / program), source], check=True)
        # Apart from /bench/app: what has a vendor folder in its root has the autoloader in it loaded at the start.
        (folder / "framework").mkdir()
        shutil.move(folder / "app" / "framework.php", folder / "framework")
        _write_framework(folder / "framework")
        for name, event in _events().items():
            (folder / f"{name}.json").write_bytes(event)
        self._php = {name: self._paths(image) for name, image in images.items()}

    def measure(self, run: Run) -> dict[str, float]:
        """What the peer prints: seconds, start_seconds, rest_kib, peak_kib."""
        paths = self._php[run.image]
        env = {"LAMBDA_TASK_ROOT": "/bench/app", "_HANDLER": run.handler, "AWS_LAMBDA_FUNCTION_NAME": "bench"}
        command = ["docker", "run", "--rm", "--network=none", f"--cpuset-cpus={self._cpu}", "--user=0"]
        command += [f"--volume={self._folder}:/bench:ro"]
        command += [f"--env={name}={value}" for name, value in sorted((env | run.env).items())]
        warm_up = max(2, run.count // 10)
        command += ["--entrypoint=/bench/peer", self._images[run.image], f"/bench/{run.event}.json"]
        command += [str(warm_up), str(run.count), str(run.starts), "--"]
        command += [word.format(**paths) for word in run.command]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode != 0:
            sys.exit(f"error: {' '.join(run.command)} in {self._images[run.image]}:\n{done.stderr[-2000:]}")
        result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return result

    def size(self, variant: str) -> int:
        """Bytes of the image."""
        command = ["docker", "image", "inspect", "--format={{.Size}}", self._images[variant]]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    def _paths(self, image: str) -> dict[str, str]:
        """Where PHP lies, from the image's own bootstrap."""
        command = ["docker", "run", "--rm", "--network=none", "--entrypoint=/bin/cat", image]
        text = subprocess.run(
            [*command, "/var/runtime/bootstrap"], capture_output=True, text=True, check=True
        ).stdout
        words = next(line for line in text.splitlines() if line.startswith("exec ")).split()
        return {"php": words[1], "fpm": words[-1]}


def _events() -> dict[str, bytes]:
    text = base64.b64encode(bytes(range(256)) * (MB // 256)).decode()
    headers = {"host": "bench.example", "user-agent": "bench/1", "accept": "*/*", "cookie": "a=1; b=2"}
    post = events.http_v2("POST", "/upload", headers=headers | {"content-type": "application/octet-stream"})
    get = events.http_v2("GET", "/orders", query="page=2&sort=date", headers=headers)
    return {
        SMALL: b'{"name":"world"}',
        LARGE: json.dumps("x" * 5_900_000).encode(),
        GET: json.dumps({**get, "isBase64Encoded": False}).encode(),
        POST: json.dumps({**post, "body": text, "isBase64Encoded": True}).encode(),
        COMMAND: b'["--version"]',
    }


def _write_framework(app: Path) -> None:
    """An application with an autoloader and classes that use each other."""
    (app / "src").mkdir()
    (app / "vendor").mkdir()
    (app / "vendor" / "autoload.php").write_text(
        "<?php\n\nspl_autoload_register(static function (string $class): void {\n"
        "    require dirname(__DIR__) . '/src/' . substr($class, 4) . '.php';\n});\n"
        # What a framework's kernel does before every command.
        f'for ($i = 1; $i <= {CLASSES}; $i++) {{\n    class_exists("App\\\\Part$i");\n}}\n'
    )
    for number in range(1, CLASSES + 1):
        methods = "\n".join(
            f"    public function method{i}(array $in): array\n    {{\n        return array_map("
            f"static fn ($x) => $x . '{number}-{i}', array_filter($in));\n    }}\n"
            for i in range(12)
        )
        (app / "src" / f"Part{number}.php").write_text(
            f"<?php\n\nnamespace App;\n\nfinal class Part{number}\n{{\n{methods}}}\n"
        )
    (app / "src" / "Kernel.php").write_text(
        "<?php\n\nnamespace App;\n\nfinal class Kernel\n{\n    public static function version(): string\n    {\n"
        f"        return implode(',', (new Part{CLASSES}())->method1(['a', 'b']));\n    }}\n}}\n"
    )


@dataclass
class Measured:
    """A row's figures, one of each round."""

    row: Row
    ours: list[dict[str, float]] = field(default_factory=list)
    floor: list[dict[str, float]] = field(default_factory=list)

    def seconds(self, figures: list[dict[str, float]]) -> list[float]:
        """The figures that the row is about."""
        return [one["start_seconds" if self.row.is_start else "seconds"] for one in figures]

    @property
    def ratio(self) -> float | None:
        """Median of the rounds' ratios."""
        pairs = zip(self.seconds(self.ours), self.seconds(self.floor), strict=False)
        return statistics.median(a / b for a, b in pairs) if self.floor else None

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds(self.ours))

    @property
    def meets(self) -> bool | None:
        """Whether it is what is wanted; None where nothing is."""
        ratio = self.ratio
        told = []
        if self.row.wanted is not None and ratio is not None:
            told.append(ratio <= self.row.wanted)
        if self.row.limit is not None:
            told.append(self.median <= self.row.limit)
        return all(told) if told else None

    def document(self) -> dict[str, object]:
        """For the JSON file."""
        seconds = self.seconds(self.ours)
        return {
            "row": self.row.name,
            "seconds": self.median,
            "spread": [min(seconds), max(seconds)],
            "floor": self.row.floor_name or None,
            "floor_seconds": statistics.median(self.seconds(self.floor)) if self.floor else None,
            "ratio": self.ratio,
            "wanted_ratio": self.row.wanted,
            "wanted_seconds": self.row.limit,
            "meets": self.meets,
            "rest_kib": statistics.median(one["rest_kib"] for one in self.ours),
            "peak_kib": statistics.median(one["peak_kib"] for one in self.ours),
            "floor_rest_kib": statistics.median(one["rest_kib"] for one in self.floor)
            if self.floor
            else None,
        }


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} µs" if seconds < 0.001 else f"{seconds * 1e3:.2f} ms"


def _table(measured: list[Measured], sizes: dict[str, int]) -> str:
    lines = [f"{'':33}{'ours':>10}{'floor':>11}{'ratio':>7}  {'wanted':9}{'memory':>8}"]
    for one in measured:
        floor = _time(statistics.median(one.seconds(one.floor))) if one.floor else ""
        ratio = f"{one.ratio:.2f}" if one.ratio is not None else ""
        wanted = (
            f"≤ {one.row.wanted:g} ×"
            if one.row.wanted
            else f"≤ {one.row.limit * 1e3:g} ms"
            if one.row.limit
            else ""
        )
        mark = {True: " ", False: "!", None: " "}[one.meets]
        rest = statistics.median(figures["rest_kib"] for figures in one.ours)
        memory = f"{rest / 1024:.0f} MB" if rest else ""
        lines.append(
            f"{one.row.name:33}{_time(one.median):>10}{floor:>11}{ratio:>7}{mark} {wanted:9}{memory:>8}"
        )
    lines += [f"{'image ' + name:33}{size / MB:>7.0f} MB" for name, size in sorted(sizes.items())]
    return "\n".join(lines)


def main() -> None:
    """The table on standard output, progress on standard error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", default="debian-12", help="the images' base (debian-12)")
    parser.add_argument("--php", default="82", help="the PHP version as in the images' names (82)")
    parser.add_argument(
        "--image", action="append", default=[], metavar="VARIANT=IMAGE", help="function, fpm, console"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", default="*", help="a glob over the rows' names, such as 'FPM*'")
    parser.add_argument("--cpu", type=int, default=0, help="the CPU on which everything runs (0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all figures")
    given = parser.parse_args()
    suffix = {"function": "", "fpm": "-fpm", "console": "-console"}
    images = {name: f"php-{given.php}{end}:{given.base}" for name, end in suffix.items()}
    images |= dict(one.split("=", 1) for one in given.image)
    rows = [row for row in ROWS if fnmatch.fnmatch(row.name, given.rows)]
    if not rows:
        sys.exit(
            f"error: no row is named {given.rows!r}\n  -> there are:\n"
            + "\n".join(f"     {row.name}" for row in ROWS)
        )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        bench = Bench(Path(folder), images, given.cpu)
        measured = [Measured(row) for row in rows]
        for number in range(given.rounds):
            for one in measured:
                print(f"\rround {number + 1} of {given.rounds}: {one.row.name:40}", end="", file=sys.stderr)
                one.ours.append(bench.measure(one.row.ours))
                if one.row.floor is not None:
                    one.floor.append(bench.measure(one.row.floor))
        print("\r" + " " * 70 + "\r", end="", file=sys.stderr)
        sizes = {name: bench.size(name) for name in images}
    print(_table(measured, sizes))
    if given.json:
        document = {
            "machine": platform.machine(),
            "rounds": given.rounds,
            "images": images,
            "image_bytes": sizes,
            "rows": [one.document() for one in measured],
        }
        given.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
