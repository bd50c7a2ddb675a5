"""Several events at once in the miniature: one thread for each, up to what the service says."""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from mutation import broken

EVENT = Path("/tmp/event.json")
TRIES = 6

working = threading.local()  # what this worker works on
last = {"request id": ""}  # what any worker began last, for a mutation


def count() -> int:
    """How many events this environment may be given at once."""
    told = int(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY", "1"))
    if broken("two-workers-always"):
        return max(told, 2)
    if broken("one-worker-too-many") and told > 1:
        return told + 1
    return told


def are_many() -> bool:
    return count() > 1


def run(serve: Callable[[], object]) -> NoReturn:
    """One worker in each thread; a worker may end, and the process does when all of them have."""

    def work() -> None:
        try:
            serve()
        except SystemExit:
            if broken("worker-ends-all"):
                os._exit(1)
            raise

    threads = [threading.Thread(target=work) for _ in range(count())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.exit("all workers have ended")


def begin(request_id: str) -> None:
    """This worker has an event."""
    working.request_id = last["request id"] = request_id


def tries_again(failures: int) -> bool:
    """Whether a worker that lost its connection asks once more: after a pause, and not for ever."""
    if not are_many() or broken("lost-connection-ends-worker"):
        return False
    time.sleep(0.05 * 2**failures)
    return failures <= TRIES


def through_file(body: bytes) -> bytes:
    """The mistake of one file for all workers."""
    EVENT.write_bytes(body)
    time.sleep(0.02)
    return EVENT.read_bytes()


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        own = getattr(working, "request_id", None)
        request_id = last["request id"] if broken("log-of-last-request") else own
        line = {"level": record.levelname, "message": record.getMessage(), "requestId": request_id}
        return json.dumps(line)


def set_up_logs() -> None:
    """Log as the function says: text by default, or JSON with the request id."""
    handler = logging.StreamHandler(sys.stdout)
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
