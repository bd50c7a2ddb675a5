"""How many invocations a second the emulator serves: `python -m tests.benchmarks.emulator_rate`. Not a test.

A minimal client in a process of its own, on one kept connection: GET next, POST response, again. All events are queued
before it starts, so that nothing but the server and this client is measured. The client is C where there is a
compiler, and Python elsewhere, which is slower than the server and hides what it can do: then the figure that counts
is the one per second of the server's processor time.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from runtimebuilder.emulator import Emulator, Invocation

EVENT = {"do": "echo", "value": "hello"}

C_CLIENT = r"""
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char answer[1 << 16];

/* One answer with Content-Length; its head ends the string. */
static void receive(int s) {
    size_t have = 0;
    for (;;) {
        ssize_t n = recv(s, answer + have, sizeof answer - 1 - have, 0);
        if (n <= 0) { fprintf(stderr, "the emulator closed the connection\n"); exit(1); }
        have += n;
        answer[have] = 0;
        char *end = strstr(answer, "\r\n\r\n"), *length = strstr(answer, "Content-Length: ");
        if (end && length && have >= (size_t)(end + 4 - answer) + strtoul(length + 16, 0, 10)) return;
    }
}

int main(int argc, char **argv) {
    (void)argc;
    const char *next = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n";
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
    inet_pton(AF_INET, argv[1], &to.sin_addr);
    int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (connect(s, (struct sockaddr *)&to, sizeof to)) { perror("connect"); return 1; }
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (long left = atol(argv[3]); left > 0; left--) {
        char post[512], id[128] = "";
        send(s, next, strlen(next), 0);
        receive(s);
        char *header = strstr(answer, "Lambda-Runtime-Aws-Request-Id: ");
        if (!header || sscanf(header + 31, "%127[^\r]", id) != 1) { fprintf(stderr, "no event\n"); return 1; }
        int size = snprintf(post, sizeof post, "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\n"
            "Host: x\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n\"hello\"", id);
        send(s, post, size, 0);
        receive(s);
        if (strncmp(answer, "HTTP/1.1 202", 12)) { fprintf(stderr, "%s\n", answer); return 1; }
    }
    return 0;
}
"""

PYTHON_CLIENT = r"""
import re, socket, sys

host, port, left = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.create_connection((host, port))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

def receive():
    data = b""
    while True:
        data += s.recv(65536)
        head, end, body = data.partition(b"\r\n\r\n")
        if end and len(body) >= int(re.search(rb"Content-Length: (\d+)", head)[1]):
            return head

for _ in range(left):
    s.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
    name = re.search(rb"Lambda-Runtime-Aws-Request-Id: ([^\r]+)", receive())[1]
    s.sendall(b"POST /2018-06-01/runtime/invocation/%b/response HTTP/1.1\r\nHost: x\r\n"
              b"Content-Type: application/json\r\nContent-Length: 7\r\n\r\n\"hello\"" % name)
    assert receive().startswith(b"HTTP/1.1 202")
"""


def client_command(folder: Path, *, python: bool) -> list[str]:
    """The client, compiled where that can be done."""
    compiler = None if python else shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return [sys.executable, "-c", PYTHON_CLIENT]
    source, program = folder / "client.c", folder / "client"
    source.write_text(C_CLIENT, encoding="utf-8")
    subprocess.run([compiler, "-O2", "-Wall", "-o", program, source], check=True)
    return [str(program)]


def measure(command: list[str], invocations: int) -> tuple[float, float]:
    """Seconds by the clock and of this process's processor time."""
    with Emulator() as emulator:
        for _ in range(invocations):
            emulator.queue(Invocation.of(EVENT))
        host, port = emulator.address
        processor, clock = time.process_time(), time.perf_counter()
        subprocess.run([*command, host, str(port), str(invocations)], check=True)
        result = time.perf_counter() - clock, time.process_time() - processor
        assert len(emulator.recording.exchanges()) == 2 * invocations
    return result


def main() -> None:
    """Measure a few times and print each, and the best."""
    options = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    options.add_argument("--invocations", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--python", action="store_true", help="the Python client, compiler or not")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = client_command(Path(folder), python=chosen.python)
        results = [measure(command, chosen.invocations) for _ in range(chosen.rounds)]
    for clock, processor in results:
        sys.stdout.write(
            f"{chosen.invocations / clock:8.0f} invocations per second,"
            f" {chosen.invocations / processor:8.0f} per second of the server's processor time\n"
        )
    best, processor_best = (chosen.invocations / min(times) for times in zip(*results, strict=True))
    sys.stdout.write(f"best: {best:.0f} per second, {processor_best:.0f} per second of processor time\n")


if __name__ == "__main__":
    main()
