"""The Runtime API of a SnapStart environment: `restore/*` and the credentials endpoint beside the rest.

The runtime asks for restore/next when its before-snapshot hooks have run. The request waits while the snapshot is
taken and kept; the 200 is the first thing that a restored runtime sees. (snapstart-runtime-hooks-custom)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from runtimebuilder.emulator import answers
from runtimebuilder.emulator.answers import Answer
from runtimebuilder.emulator.exchange import Exchange, Route, first_value
from runtimebuilder.emulator.recording import Entry, Recording
from runtimebuilder.emulator.routes import Request
from runtimebuilder.emulator.runtime_api import RuntimeApi, Turn
from runtimebuilder.emulator.state import RefusedError, State
from runtimebuilder.emulator.turn import PlainTurn

CREDENTIALS_TOKEN = "example-authorization-token"  # noqa: S105 - it opens nothing
"""What a request for credentials has to carry as its Authorization."""

CREDENTIALS = {
    # The documentation's own example credentials: they open nothing.
    "AccessKeyId": "AKIAIOSFODNN7EXAMPLE",
    "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "Token": "example-session-token",
    "Expiration": "2099-01-01T00:00:00Z",
}
"""What the credentials endpoint tells."""

_METHODS = {Route.RESTORE_NEXT: "GET", Route.RESTORE_ERROR: "POST", Route.CREDENTIALS: "GET"}


class _Waiter:
    """A GET restore/next that waits. The result is whether the environment is restored; else it was restarted."""

    def __init__(self, peer_is_there: Callable[[], bool]) -> None:
        self.future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.peer_is_there = peer_is_there


class RestorableApi(RuntimeApi):
    """A Runtime API with `restore/*`."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(recording)
        self._restoring: list[_Waiter] = []
        self._restore_error: Entry | None = None

    # For the facade, under the recording's lock.

    @property
    def awaits_restore(self) -> bool:
        """A GET restore/next waits, by a peer that is still there: the snapshot may be taken."""
        return any(waiter.peer_is_there() for waiter in self._restoring)

    def restore_error(self) -> Exchange | None:
        """The POST restore/error of this process, if there was one."""
        with self._recording.changed:
            return None if self._restore_error is None else self._restore_error.snapshot()

    # For the facade, in the server's loop.

    def restore(self) -> bool:
        """The environment is restored from its snapshot: answer restore/next. False when nobody waits for it."""
        self._recording.note("environment restored from its snapshot")
        with self._recording.changing():
            if not self._restoring:
                return False
            self._machine.restored()
            self._resolve(restored=True)
            return True

    def restart(self) -> None:
        """A new process begins."""
        with self._recording.changing():
            self._resolve(restored=False)
            self._restore_error = None
        super().restart()

    def _resolve(self, *, restored: bool) -> None:
        for waiter in self._restoring:
            if not waiter.future.done():  # it is when the connection went in this very moment
                waiter.future.set_result(restored)
        self._restoring.clear()

    # For connections, in the server's loop.

    def _begin(self, request: Request) -> Turn:
        is_restore_error = request.route is Route.INIT_ERROR and self._machine.state is State.RESTORING
        method = _METHODS.get(request.route)
        if method is not None and request.method != method:
            return PlainTurn.fixed(answers.wrong_method(method))
        if request.route is Route.CREDENTIALS:
            return PlainTurn.fixed(_credentials(request))
        if request.route is Route.RESTORE_NEXT:
            return PlainTurn(lambda _entry: self._next(request))
        if request.route is Route.RESTORE_ERROR or (is_restore_error and request.method == "POST"):
            return PlainTurn(self._take_restore_error)
        return super()._begin(request)

    async def _next(self, request: Request) -> Answer:
        with self._recording.changing():
            try:
                self._machine.restore_asked()
            except RefusedError as refused:
                return _forbidden(refused)
            waiter = _Waiter(request.peer_is_there)
            self._restoring.append(waiter)
        try:
            restored = await waiter.future
        finally:
            with self._recording.changing():
                self._leave_restore(waiter)
        if not restored:
            return answers.hang_up("environment restarted while this GET restore/next waited")
        return Answer(200, (answers.JSON_TYPE,))

    def _leave_restore(self, waiter: _Waiter) -> None:
        if waiter in self._restoring:
            self._restoring.remove(waiter)
            if not self._restoring:
                self._machine.restore_abandoned()

    async def _take_restore_error(self, entry: Entry) -> Answer:
        with self._recording.changing():
            try:
                self._machine.restore_failed()
            except RefusedError as refused:
                return _forbidden(refused)
            self._restore_error = entry
            return answers.json_answer(202, answers.ACCEPTED)


def _credentials(request: Request) -> Answer:
    if first_value(request.headers, "authorization") != CREDENTIALS_TOKEN:
        return Answer(404)
    return answers.json_answer(200, answers.go_json(CREDENTIALS))


def _forbidden(refused: RefusedError) -> Answer:
    return answers.json_answer(403, answers.forbidden_body(refused.source, refused.target))
