"""An internal extension of the miniature, which it registers only in order to do it wrong."""

import http.client
import json
import os
import threading

from mutation import broken

API = "/2020-01-01/extension"


def register_one() -> None:
    """At the start, before the first event is asked for."""
    if broken("internal-without-name"):
        register({}, ["INVOKE"])
    if broken("internal-asks-for-shutdown"):
        register({"Lambda-Extension-Name": "inside"}, ["INVOKE", "SHUTDOWN"])
    if broken("internal-never-asks"):
        register({"Lambda-Extension-Name": "inside"}, [])


def register_late() -> None:
    """With the first event."""
    if broken("internal-registers-late"):
        identifier = register({"Lambda-Extension-Name": "inside"}, [])
        threading.Thread(target=ask, args=(identifier,), daemon=True).start()


def register(headers: dict[str, str], events: list[str]) -> str:
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request("POST", f"{API}/register", json.dumps({"events": events}), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.getheader("Lambda-Extension-Identifier") or ""


def ask(identifier: str) -> None:
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request("GET", f"{API}/event/next", headers={"Lambda-Extension-Identifier": identifier})
    connection.getresponse().read()
