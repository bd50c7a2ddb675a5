"""HTTP with a registry: scheme, TLS, login, and each request tried again where that can help.

https always; http only for this machine's own addresses, and where it was asked for. Certificates are always checked,
against the system's authorities, those of SSL_CERT_FILE, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE, and those that the
docker engine would take for that registry (/etc/docker/certs.d/HOST).
"""

from __future__ import annotations

import json
import re
import ssl
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import requests
import requests.adapters
import requests.auth
import urllib3.exceptions
from urllib3.util.ssl_ import create_urllib3_context

import runtimebuilder
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.publish.credentials import Credentials
from runtimebuilder.publish.failures import TRANSIENT, BrokenOffError, Said, UnreachableError, failure_of
from runtimebuilder.publish.names import is_loopback
from runtimebuilder.publish.retry import ExhaustedError, Result, Retry, TransientError, retry_after

_TIMEOUT = (
    20.0,
    120.0,
)  # seconds to connect, and without a byte: a registry writes a large blob before it answers
_CERTIFICATES = Path("/etc/docker/certs.d")
_PLAIN = re.compile(r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST|PACKET_LENGTH", re.IGNORECASE)
_CHALLENGE = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')

# What is sent: bytes, or something that opens it, for it may have to be sent again.
Body = bytes | Callable[[], BinaryIO]
PULL, PUSH = "pull", "pull,push"


@dataclass(frozen=True)
class Answer:
    """An answer read to its end. Headers have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str = ""

    def json(self) -> Any:
        """The body as JSON; `TransientError` when it is cut, for a whole one would be JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise TransientError("the answer is not JSON") from error


class _Tls(requests.adapters.HTTPAdapter):
    """Certificates against a context of ours, which has more authorities than requests' own bundle."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options, ssl_context=self._context)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, **options, ssl_context=self._context)


class _NoNetrc(requests.auth.AuthBase):
    """requests would put what ~/.netrc says over our Authorization header."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class Wire:
    """One registry, spoken to from one thread."""

    def __init__(
        self,
        host: str,
        credentials: Callable[[], Credentials | None],
        retry: Retry,
        *,
        insecure: bool = False,
    ) -> None:
        self.host = host
        self.retry = retry
        self._find_credentials = credentials
        self._credentials: Credentials | None = None
        self._asked_credentials = False
        self._loopback = is_loopback(host)
        self._base = None if insecure or self._loopback else f"https://{host}"
        self._answered = False
        self._logins: dict[str, str] = {}  # scope -> Authorization header
        self._session = requests.Session()
        self._session.auth = _NoNetrc()
        self._session.headers["User-Agent"] = f"runtimebuilder/{runtimebuilder.__version__}"
        self._session.headers["Accept-Encoding"] = "identity"  # digests are of the bytes as they come
        self._session.mount("https://", _Tls(_context(host)))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        what: str,
        scope: str = "",
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        expected: tuple[int, ...] = (200,),
        again: tuple[int, ...] = (),
    ) -> Answer:
        """One request, as often as needed. Statuses in `again` are taken for transient as well.

        `path` is absolute on the registry, or a URL that it gave. Raises `RefusedError` and `BrokenOffError` (exit 1),
        `DeniedError` and `UnreachableError` (4).
        """
        return self.persist(
            what,
            lambda: self.once(
                method,
                path,
                what=what,
                scope=scope,
                headers=headers,
                body=body,
                expected=expected,
                again=again,
            ),
        )

    def persist(self, what: str, attempt: Callable[[], Result]) -> Result:
        """Several requests that have to succeed together, tried again together."""
        try:
            return self.retry.run(f"{what} at {self.host}", attempt)
        except ExhaustedError as error:
            times = f" ({error.attempts} attempts)" if error.attempts > 1 else ""
            if self._answered:
                raise BrokenOffError(
                    f"{what}: given up{times}",
                    detail=f"  {error.reason}",
                    hint="run it again: what has arrived is not sent twice",
                ) from error
            raise UnreachableError(
                f"{what}: the registry {self.host} does not answer{times}",
                detail=f"  {error.reason}",
                hint="check its name and the network; HTTPS_PROXY and NO_PROXY are obeyed",
            ) from error

    def once(
        self,
        method: str,
        path: str,
        *,
        what: str,
        scope: str = "",
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        expected: tuple[int, ...] = (200,),
        again: tuple[int, ...] = (),
        into: BinaryIO | None = None,
    ) -> Answer:
        """One request, tried once but for the login; the body of a good answer goes `into` a file, if one is given.

        Raises `TransientError` besides what `ask` raises.
        """
        ours = urllib.parse.urlsplit(self._address())
        parts = urllib.parse.urlsplit(urllib.parse.urljoin(self._address(), path))
        is_ours = parts.netloc == ours.netloc
        # A registry behind something that ends TLS may name itself with http: no secret goes there.
        url = urllib.parse.urlunsplit(parts._replace(scheme=ours.scheme) if is_ours else parts)
        login = self._logins.get(scope) if is_ours else None
        answer = self._exchange(method, url, headers=headers, body=body, authorization=login, into=into)
        if answer.status == 401 and is_ours:
            # No login yet, or a token that has run out.
            self._logins[scope] = self._login(answer, scope, what)
            answer = self._exchange(
                method, url, headers=headers, body=body, authorization=self._logins[scope], into=into
            )
            if answer.status == 401:
                self._logins.pop(scope)
        if answer.status in expected:
            return answer
        said = Said.of(answer.body)
        # A repository that is not there does not come by waiting.
        if answer.status in TRANSIENT or (answer.status in again and said.code != "NAME_UNKNOWN"):
            words = " ".join(part for part in (said.code, said.message[:100]) if part)
            raise TransientError(
                f"it answered {answer.status}" + (f" ({words})" if words else ""),
                retry_after(answer.headers.get("retry-after")),
            )
        raise failure_of(
            what, answer.status, answer.body, self.host, has_credentials=self._credentials is not None
        )

    def _address(self) -> str:
        """`https://HOST`, or `http://HOST` where that is allowed and the registry has no TLS: found out once."""
        if self._base is None:
            secure, plain = f"https://{self.host}", f"http://{self.host}"
            try:
                self._exchange("GET", f"{secure}/v2/")
                self._base = secure
            except TransientError as error:
                # A server without TLS answers the greeting with HTTP, or hangs up.
                if not _PLAIN.search(error.reason):
                    self._exchange("GET", f"{plain}/v2/")
                self._base = plain
        return self._base

    def _exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        authorization: str | None = None,
        into: BinaryIO | None = None,
    ) -> Answer:
        sent = dict(headers or {})
        if authorization:
            sent["Authorization"] = authorization
        opened = None if body is None or isinstance(body, bytes) else body()
        data = body if isinstance(body, bytes) else opened
        try:
            response = self._session.request(
                method,
                url,
                headers=sent,
                data=data,
                timeout=_TIMEOUT,
                stream=into is not None,
                allow_redirects=method in ("GET", "HEAD"),
                # Go's clients, docker among them, never use a proxy for this machine.
                proxies={"no_proxy": url_host(url)} if self._loopback else None,
            )
            if into is not None and response.ok:
                into.seek(0)
                into.truncate()
                for piece in response.iter_content(1 << 20):
                    into.write(piece)
                content = b""
            else:
                content = response.content
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _lost(error, self.host) from error
        finally:
            if opened is not None:
                opened.close()
        self._answered = True
        lower = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, lower, content, response.url)

    def _login(self, answer: Answer, scope: str, what: str) -> str:
        """The Authorization header that a challenge asks for (RFC 7235; the token protocol of docker's registries)."""
        if not self._asked_credentials:
            self._credentials = self._find_credentials()
            self._asked_credentials = True
        challenge = answer.headers.get("www-authenticate", "")
        kind, _, rest = challenge.strip().partition(" ")
        if kind.lower() == "bearer":
            fields = {name.lower(): quoted or plain for name, quoted, plain in _CHALLENGE.findall(rest)}
            return "Bearer " + self._token(fields, scope, what)
        if kind.lower() == "basic" and self._credentials is not None:
            return self._credentials.basic
        raise failure_of(what, 401, answer.body, self.host, has_credentials=self._credentials is not None)

    def _token(self, fields: Mapping[str, str], scope: str, what: str) -> str:
        realm = fields.get("realm", "")
        if not realm.startswith("https://") and not (
            realm.startswith("http://") and is_loopback(urllib.parse.urlsplit(realm).netloc)
        ):
            raise EnvironmentProblemError(
                f"{what}: the registry {self.host} names {realm!r} for the login; credentials go over https alone"
            )
        scopes = [*scope.split(" ")] if scope else [fields["scope"]] if fields.get("scope") else []
        query = [("service", fields["service"])] if fields.get("service") else []
        who = self._credentials
        if who is not None and who.identity:
            form = {
                "grant_type": "refresh_token",
                "service": fields.get("service", ""),
                "scope": " ".join(scopes),
                "client_id": "runtimebuilder",
                "refresh_token": who.identity,
            }
            answer = self._exchange(
                "POST",
                realm,
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                body=urllib.parse.urlencode(form).encode(),
            )
        else:
            url = f"{realm}?{urllib.parse.urlencode([*query, *(('scope', one) for one in scopes)])}"
            answer = self._exchange("GET", url, authorization=who.basic if who else None)
        if answer.status in TRANSIENT:
            raise TransientError(
                f"the login answered {answer.status}", retry_after(answer.headers.get("retry-after"))
            )
        if answer.status != 200:
            status = 401 if answer.status == 400 else answer.status
            raise failure_of(what, status, answer.body, self.host, has_credentials=who is not None)
        document = answer.json()
        token = document.get("token") or document.get("access_token") if isinstance(document, dict) else None
        if not token:
            raise EnvironmentProblemError(f"{what}: the login of {self.host} gave no token")
        return str(token)


def url_host(url: str) -> str:
    """A URL's host without its port."""
    return urllib.parse.urlsplit(url).hostname or ""


def _context(host: str) -> ssl.SSLContext:
    context = create_urllib3_context()
    context.load_default_certs()  # SSL_CERT_FILE and SSL_CERT_DIR are OpenSSL's own variables
    for file in sorted((_CERTIFICATES / host).glob("*.crt")):
        try:
            context.load_verify_locations(file)
        except (OSError, ssl.SSLError) as error:
            raise EnvironmentProblemError(f"{file} cannot be read as certificates: {error}") from error
    return context


def _lost(error: BaseException, host: str) -> Exception:
    """What a request without an answer is: transient, but for a certificate that is not trusted and the like."""
    chain = _chain(error)
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            return EnvironmentProblemError(
                f"the certificate of {host} is not trusted: {one.verify_message}",
                hint=f"put its authority into SSL_CERT_FILE, or where docker has it: {_CERTIFICATES}/{host}/ca.crt",
            )
    if isinstance(error, requests.exceptions.RequestException) and isinstance(error, ValueError):
        return EnvironmentProblemError(f"{host} cannot be asked: {error}")  # a URL that is none, a bad proxy
    if isinstance(error, OSError) and not isinstance(error, requests.exceptions.RequestException):
        if "CA certificate bundle" in str(error):
            return EnvironmentProblemError(str(error), hint="see REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE")
        return TransientError(str(error))
    deepest = chain[-1]
    return TransientError(f"no answer: {deepest}" if str(deepest) else f"no answer: {type(deepest).__name__}")


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what is behind it, the innermost last: requests and urllib3 wrap as argument and as `reason`."""
    found = [error]
    while True:
        last = found[-1]
        inner = [one for one in (*last.args, getattr(last, "reason", None)) if isinstance(one, BaseException)]
        following = inner[0] if inner else last.__cause__ or last.__context__
        if following is None or following in found or len(found) > 20:
            return found
        found.append(following)
