"""What ECR has besides the registry API: its login token, tag immutability that can be asked, repositories to create.

boto3 is the optional extra `[ecr]`; who logs in by a credential helper or `docker login` needs it for new repositories
alone. https://docs.aws.amazon.com/AmazonECR/latest/APIReference/
"""

from __future__ import annotations

import base64
import fnmatch
import importlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from runtimebuilder.errors import EnvironmentProblemError, SubjectFailedError
from runtimebuilder.publish.credentials import Credentials
from runtimebuilder.publish.names import Repository

Result = TypeVar("Result")

_HOST = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\."
    r"(?:amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)\Z"
)
_EXTRA = "pip install 'runtimebuilder[ecr]'"


@dataclass(frozen=True)
class TagRule:
    """Which tags of a repository stay where they are: with `immutable` all but `exceptions`, without it those alone."""

    immutable: bool
    exceptions: tuple[str, ...] = ()

    def holds(self, tag: str) -> bool:
        """Whether this tag stays where it was put first."""
        excepted = any(fnmatch.fnmatchcase(tag, pattern.replace("[", "[[]")) for pattern in self.exceptions)
        return self.immutable != excepted


@dataclass(frozen=True)
class NewRepository:
    """How a repository is made. `lifecycle`: the policy's JSON; `moving`: tags that may be moved all the same."""

    scan_on_push: bool = True
    immutable: bool = True
    moving: tuple[str, ...] = ()
    lifecycle: str | None = None


def is_ecr(host: str) -> bool:
    """Whether a host is a private ECR registry."""
    return _HOST.match(host) is not None


def login(host: str) -> Credentials:
    """ECR's token, valid for 12 hours. It goes into a header and nowhere else.

    Raises `EnvironmentProblemError` (exit 4): no boto3, no AWS credentials, or they may not.
    """
    client = _client(host, f"there are no credentials for {host}", " (or log in with `docker login`)")
    answer = _ask(f"for a login to {host}", client.get_authorization_token)
    try:
        token = base64.b64decode(answer["authorizationData"][0]["authorizationToken"]).decode()
    except (KeyError, IndexError, ValueError) as error:
        raise EnvironmentProblemError(f"ECR gave no token for {host}") from error
    username, _, secret = token.partition(":")
    return Credentials(username, secret)


def tag_rule(repository: Repository) -> TagRule | None:
    """The repository's rule; None when that cannot be learnt: no boto3, no right to ask, no such repository."""
    if not is_ecr(repository.host):
        return None
    try:
        found = _describe(repository)
    except EnvironmentProblemError:
        return None  # then the registry itself refuses, in its own time
    if found is None:
        return None
    kind = str(found.get("imageTagMutability") or "MUTABLE")
    filters = found.get("imageTagMutabilityExclusionFilters") or ()
    exceptions = tuple(str(one.get("filter") or "") for one in filters) if kind.endswith("_EXCLUSION") else ()
    return TagRule(kind.startswith("IMMUTABLE"), exceptions)


def create(repository: Repository, settings: NewRepository) -> bool:
    """Make the repository, if it is not there. False: it was, and is as it was.

    Raises `EnvironmentProblemError` (exit 4), and `SubjectFailedError` (1) for a policy that ECR refuses.
    """
    if _describe(repository) is not None:
        return False
    client = _client(repository.host, f"{repository} cannot be created")
    wishes: dict[str, Any] = {
        "repositoryName": repository.path,
        "imageScanningConfiguration": {"scanOnPush": settings.scan_on_push},
        "imageTagMutability": "IMMUTABLE" if settings.immutable else "MUTABLE",
    }
    if settings.immutable and settings.moving:
        wishes["imageTagMutability"] = "IMMUTABLE_WITH_EXCLUSION"
        wishes["imageTagMutabilityExclusionFilters"] = [
            {"filterType": "WILDCARD", "filter": pattern} for pattern in settings.moving
        ]
    try:
        _ask(f"to create {repository}", lambda: client.create_repository(**wishes))
    except _AwsError as error:
        if error.code == "RepositoryAlreadyExistsException":  # somebody else, in the same moment
            return False
        raise
    if settings.lifecycle is not None:
        policy = settings.lifecycle
        try:
            _ask(
                f"to set the lifecycle policy of {repository}",
                lambda: client.put_lifecycle_policy(
                    repositoryName=repository.path, lifecyclePolicyText=policy
                ),
            )
        except _AwsError as error:
            raise SubjectFailedError(
                f"{repository} is created, and its lifecycle policy was refused",
                hint="correct the policy, then set it with `aws ecr put-lifecycle-policy`",
                detail=error.detail,
            ) from error
    return True


class _AwsError(EnvironmentProblemError):
    """AWS said no; `code` is its word for it."""

    code = ""


def _describe(repository: Repository) -> dict[str, Any] | None:
    client = _client(repository.host, f"{repository} cannot be looked up")
    account = _HOST.match(repository.host)
    wishes = {"repositoryNames": [repository.path], "registryId": account["account"] if account else ""}
    try:
        answer = _ask(f"about {repository}", lambda: client.describe_repositories(**wishes))
    except _AwsError as error:
        if error.code == "RepositoryNotFoundException":
            return None
        raise
    found: Sequence[dict[str, Any]] = answer.get("repositories") or ()
    return found[0] if found else None


def _client(host: str, what: str, or_else: str = "") -> Any:
    found = _HOST.match(host)
    if found is None:
        raise EnvironmentProblemError(f"{host} is no ECR registry")
    try:
        boto3 = importlib.import_module("boto3")
    except ImportError as error:
        raise EnvironmentProblemError(f"{what}, and boto3 is not installed", hint=_EXTRA + or_else) from error
    return _ask(f"for {host}", lambda: boto3.session.Session().client("ecr", region_name=found["region"]))


def _ask(what: str, call: Callable[[], Result]) -> Result:
    """A call of boto3, whose errors become ours. boto3 itself tries again what is transient."""
    exceptions = importlib.import_module("botocore.exceptions")
    try:
        return call()
    except exceptions.ClientError as error:
        said = error.response.get("Error") or {}
        code = str(said.get("Code") or "")
        problem = _AwsError(
            f"AWS was asked {what} and refused",
            hint="see the rights of the AWS credentials in use: `aws sts get-caller-identity` tells whose they are",
            detail=f"  {code}: {said.get('Message') or ''}",
        )
        problem.code = code
        raise problem from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise EnvironmentProblemError(
            f"AWS was to be asked {what}, and there are no AWS credentials",
            hint="set AWS_PROFILE, or log in (`aws sso login`); in CI let the job assume a role",
        ) from error
    except exceptions.BotoCoreError as error:
        raise EnvironmentProblemError(
            f"AWS was to be asked {what}, which failed", detail=f"  {error}"
        ) from error
