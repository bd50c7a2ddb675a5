"""How many invocations a second the emulator serves: `python -m tests.benchmarks.emulator_rate`. Not a test.

A minimal client in a process of its own, on one kept connection: GET next, POST response, again. All events are queued
before it starts, so that nothing but the server and this client is measured. Server and client share one processor
core: a question and its answer are then handed on by a switch, where on two cores each of the four hand-overs of an
invocation is a wake-up of the other core (`--unpinned` shows what that costs on the machine at hand).

The client is C where there is a compiler, and Python elsewhere, which is slower than the server and hides what it can
do: then the figure that counts is the one per second of the server's processor time.

Each round also serves the same client by a loop that knows the two answers by heart: the most that any Python server
over sockets could reach there, and so the floor against which the emulator's figure is read on a noisy machine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
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


def measure(command: Sequence[str], invocations: int) -> tuple[float, float]:
    """Seconds by the clock and of this process's processor time, the emulator serving."""
    with Emulator() as emulator:
        for _ in range(invocations):
            emulator.queue(Invocation.of(EVENT))
        host, port = emulator.address
        processor, clock = time.process_time(), time.perf_counter()
        subprocess.run([*command, host, str(port), str(invocations)], check=True)
        result = time.perf_counter() - clock, time.process_time() - processor
        assert len(emulator.recording.exchanges()) == 2 * invocations
    return result


def _recite(listening: socket.socket, invocations: int) -> None:
    """The answers of the emulator, as long as they are there, to whatever is asked; nothing is parsed or recorded."""
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n"
        b"Lambda-Runtime-Deadline-Ms: 1542409706888\r\n"
        b"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:function\r\n"
        b"Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1\r\n"
        b"Content-Length: 30\r\n\r\n" + b'{"do":"echo","value": "hello"}'
    )
    accepted = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
    connection, _ = listening.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(invocations):
            connection.recv(65_536)
            connection.sendall(head)
            connection.recv(65_536)
            connection.sendall(accepted)


def measure_floor(command: Sequence[str], invocations: int) -> float:
    """Seconds by the clock, the answers given by heart."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=_recite, args=(listening, invocations), daemon=True)
        server.start()
        host, port = listening.getsockname()
        clock = time.perf_counter()
        subprocess.run([*command, host, str(port), str(invocations)], check=True)
        result = time.perf_counter() - clock
        server.join(10)
    return result


def main() -> None:
    """Measure some rounds, print each, and the medians."""
    options = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    options.add_argument("--invocations", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--python", action="store_true", help="the Python client, compiler or not")
    options.add_argument("--unpinned", action="store_true", help="server and client on all cores, not on one")
    chosen = options.parse_args()
    if not chosen.unpinned:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # inherited by the client
    rates, processor_rates, ratios = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        command = client_command(Path(folder), python=chosen.python)
        for _ in range(chosen.rounds):
            floor = measure_floor(command, chosen.invocations)
            clock, processor = measure(command, chosen.invocations)
            rates.append(chosen.invocations / clock)
            processor_rates.append(chosen.invocations / processor)
            ratios.append(clock / floor)
            sys.stdout.write(
                f"{rates[-1]:7.0f} invocations/s, {processor_rates[-1]:7.0f} per second of the server's processor"
                f" time; by heart {chosen.invocations / floor:7.0f}/s: {ratios[-1]:.2f} x its time\n"
            )
    where = "all cores" if chosen.unpinned else "one core"
    sys.stdout.write(
        f"median of {chosen.rounds} on {where}: {statistics.median(rates):.0f} invocations/s,"
        f" {statistics.median(processor_rates):.0f} per second of processor time,"
        f" {statistics.median(ratios):.2f} x the time by heart\n"
    )


if __name__ == "__main__":
    main()
