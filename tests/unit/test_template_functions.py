"""The functions that the template makes, and how a change of them is published."""

import msgspec
import pytest

from jitsi_tokens.status import NEVER_CHECKED, KeyStatus
from tests.template_reading import (
    FUNCTIONS,
    PARAMETERS,
    PUBLIC_KEYS_PATH,
    PUBLISHED,
    RESOURCES,
    TEMPLATE,
    function,
    leaves,
    longest_text,
    of_type,
    properties,
    references,
)


def test_there_are_these_functions() -> None:
    """Each is held to the rules of this file."""
    assert of_type("AWS::Serverless::Function") == FUNCTIONS


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_function_starts_from_a_snapshot_behind_an_alias(name: str) -> None:
    """Published as `live`, on the runtime that the layer is compiled for."""
    found = function(name)

    assert found["SnapStart"] == {"ApplyOn": "SnapStart"}
    assert PARAMETERS["SnapStart"]["Default"] == "PublishedVersions"
    assert found["AutoPublishAlias"] == "live"
    assert (found["Runtime"], found["Architectures"]) == ("python3.13", ["x86_64"])
    assert found["Layers"] == ["JitsiTokensLayer"]


@pytest.mark.parametrize(
    ("name", "megabytes"),
    [
        ("IssueToken", 1769),
        ("AuthorizeClient", 512),
        ("CheckKey", 512),
        ("ProbeConfig", 512),
        ("ServePublicKey", 512),
        ("RotateSigningKey", 1769),
    ],
)
def test_memory_is_processor(name: str, megabytes: int) -> None:
    """What signs has one whole vCPU."""
    assert function(name)["MemorySize"] == megabytes


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_outlives_its_waits(name: str) -> None:
    """For AWS: its own answer, and not Lambda's end of it, is what a caller gets."""
    assert function(name)["Timeout"] >= 15


def test_the_layer_is_built_by_its_makefile_for_lambda() -> None:
    """Without it nothing is compiled; its architecture is told by the metadata alone."""
    metadata = RESOURCES["JitsiTokensLayer"]["Metadata"]

    assert metadata == {"BuildMethod": "makefile", "BuildArchitecture": "x86_64"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_environment_holds_no_secret(name: str) -> None:
    """Names of things only: nothing typed in, nothing resolved at deployment."""
    shared = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    variables = shared | properties(name)["Environment"]["Variables"]

    api = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/v1"
    named = ["AWS::StackName", PUBLIC_KEYS_PATH, api, "https://${Name}"]
    for value in map(leaves, variables.values()):
        others = [part for part in value if part not in named]
        assert not others or references(value)
        assert not [part for part in others if "$" in part or "{" in part]
    assert not any(PARAMETERS[name].get("NoEcho") for name in PARAMETERS)


@pytest.mark.parametrize("name", ["IssueToken", "CheckKey", "ProbeConfig"])
def test_a_change_of_a_setting_makes_a_new_version(name: str) -> None:
    """Every parameter in the environment is in the description, and so is the layer."""
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    settings = references(variables) | {"Tracing", "SnapStart"}

    assert settings | {"JitsiTokensLayer"} <= references(properties(name)["VersionDescription"])


@pytest.mark.parametrize("name", ["AuthorizeClient", "ServePublicKey"])
def test_a_change_of_what_is_logged_makes_a_new_version(name: str) -> None:
    """These read no other setting; the layer is in their description too."""
    described = references(properties(name)["VersionDescription"])

    assert described == {"JitsiTokensLayer", "LogLevel", "Tracing", "SnapStart"}


@pytest.mark.parametrize("is_jaas", [True, False], ids=["jaas", "self-hosted"])
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_versions_description_always_fits(name: str, *, is_jaas: bool) -> None:
    """Lambda takes 256 characters, whatever the parameters are."""
    assert longest_text(properties(name)["VersionDescription"], is_jaas=is_jaas) <= 256


def test_the_descriptions_are_not_shared() -> None:
    """SAM takes none from Globals."""
    assert "VersionDescription" not in TEMPLATE["Globals"]["Function"]


def test_the_key_is_checked_every_five_minutes() -> None:
    """And its status says so from the start."""
    events = properties("CheckKey")["Events"].values()

    assert "rate(5 minutes)" in [event["Properties"].get("Schedule") for event in events]


def test_the_first_status_is_that_nothing_was_checked() -> None:
    """The parameter's first value reads as the constant does."""
    status = msgspec.json.decode(properties("KeyStatus")["Value"], type=KeyStatus)

    assert status == NEVER_CHECKED
