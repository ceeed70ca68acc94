"""The function that signs, as Lambda's API answers for it: versions, an alias, and their states."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.integration.cli_world import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.cli_world import Received

_PREFIX = "/2015-03-31/functions/"


class IssueFunction:
    """Lambda's API for one function that CloudFormation published once.

    Attributes:
        refuses: operations that are answered with an error.
        polls: how often a version is asked for until SnapStart has made it ready.
        publishes: what becomes of it then.
    """

    def __init__(self) -> None:
        self.latest: dict[str, Any] = {
            "FunctionName": "issue",
            "Version": "$LATEST",
            "CodeSha256": "code",
            "Layers": [{"Arn": "layer:1"}],
            "Environment": {"Variables": {"PROVIDER": "self-hosted"}},
            "State": "Active",
            "LastUpdateStatus": "Successful",
        }
        self.versions = {"1": self.latest | {"Version": "1", "Description": "1|INFO"}}
        self.live = "1"
        self.weights: dict[str, float] = {}
        self.refuses: set[str] = set()
        self.publishes = "Active"
        self.polls = 2
        self.operations: list[str] = []
        self.revisions: list[str] = []
        self._published = 1
        self._polls: dict[str, int] = {}

    def __call__(self, request: Received) -> Answer:
        """Answer a request."""
        url = urlsplit(request.path)
        _, *resource = url.path.removeprefix(_PREFIX).split("/")
        qualifier = parse_qs(url.query).get("Qualifier", ["$LATEST"])[0]
        body = json.loads(request.body) if request.body else {}
        operation = f"{request.method} {'/'.join(resource)}".strip()
        self.operations.append(operation)
        if operation in self.refuses:
            headers = (("x-amzn-errortype", "AccessDeniedException"),)
            return Answer(403, '{"Message": "no"}', headers)
        answers: dict[str, Callable[[], Answer]] = {
            "GET configuration": lambda: _answer(self._configuration(qualifier)),
            "PUT configuration": lambda: self._update(body),
            "POST versions": lambda: self._publish(body),
            "GET versions": lambda: _answer({"Versions": [self.latest, *self.versions.values()]}),
            "GET aliases/live": self._alias,
            "PUT aliases/live": lambda: self._point(body),
            "DELETE": lambda: self._delete(qualifier),
        }
        return answers[operation]()

    def deploy(self) -> None:
        """Publish as a deployment does, which knows nothing of what a key change wrote."""
        self.latest["Environment"] = {"Variables": {"PROVIDER": "self-hosted"}}
        self._published += 1
        version = str(self._published)
        self.versions[version] = copy.deepcopy(self.latest) | {
            "Version": version,
            "Description": f"{version}|INFO",
        }
        self.live = version

    def key_version(self, version: str | None = None) -> str | None:
        """Return which key's version a version names, the one that answers if none is given."""
        variables = self.versions[version or self.live]["Environment"]["Variables"]
        found: str | None = variables.get("SIGNING_KEY_VERSION")
        return found

    def _configuration(self, version: str) -> dict[str, Any]:
        if version == "$LATEST":
            answer = dict(self.latest)
            self.latest |= {"LastUpdateStatus": "Successful"}
            return answer
        if self._polls.get(version, 0) > 0:
            self._polls[version] -= 1
        elif version in self._polls:
            self.versions[version] |= {"State": self.publishes}
        return self.versions[version]

    def _alias(self) -> Answer:
        return _answer(
            {
                "Name": "live",
                "FunctionVersion": self.live,
                "RevisionId": "seen",
                "RoutingConfig": {"AdditionalVersionWeights": self.weights},
            }
        )

    def _point(self, body: dict[str, Any]) -> Answer:
        version = body["FunctionVersion"]
        self.revisions.append(body["RevisionId"])
        assert self._configuration(version)["State"] == "Active"
        self.live = version
        return self._alias()

    def _delete(self, version: str) -> Answer:
        assert version != self.live
        del self.versions[version]
        return Answer(204, "")

    def _update(self, body: dict[str, Any]) -> Answer:
        assert self.latest["LastUpdateStatus"] == "Successful"
        self.latest |= {"Environment": body["Environment"], "LastUpdateStatus": "InProgress"}
        return _answer(self.latest)

    def _publish(self, body: dict[str, Any]) -> Answer:
        assert self.latest["LastUpdateStatus"] == "Successful"
        assert body["CodeSha256"] == self.latest["CodeSha256"]
        last = self.versions.get(str(self._published))
        if last and last["Environment"] == self.latest["Environment"]:
            # Lambda publishes nothing where nothing changed.
            return _answer(last, 201)
        self._published += 1
        version = str(self._published)
        self.versions[version] = copy.deepcopy(self.latest) | {
            "Version": version,
            "Description": body["Description"],
            "State": "Pending",
        }
        self._polls[version] = self.polls
        return _answer(self.versions[version], 201)


def _answer(document: dict[str, Any], status: int = 200) -> Answer:
    return Answer(status, json.dumps(document))
