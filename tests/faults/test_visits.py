"""AWS fails while visits are written and entered: answers within bounds, and no half a visit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import pytest

from jitsi_tokens.secrets import RETRY_SECONDS
from jitsi_tokens.settings import KEY_FRESH_SECONDS
from tests.faults.askers import ENTRIES, LISTS, PAGE, RECORD, STATUS
from tests.faults.crowd import Crowd
from tests.faults.figures import GOOD, Promise
from tests.faults.test_secrets_manager import MAXIMUM_STALE_SECONDS
from tests.faults.world import OUTAGES, SLOW
from tests.stack.fault_proxy import Lost
from tests.stack.log_search import found, needles, whole_log
from tests.stack.visits import body, claims_of, kind, links_of, token_of

if TYPE_CHECKING:
    from tests.faults.world import World

pytestmark = pytest.mark.stack

EVERYBODY = (RECORD, LISTS, ENTRIES, STATUS, PAGE)
# Warm containers. Half of what the API waits for an answer, 29 s: `enter` needs 6.3 s on a slow
# DynamoDB, and a busy machine may stall for some more.
LONGEST_SECONDS = 15

UNNOTICED = Promise(outage_seconds=5)
SERVED_LATE = Promise(outage_seconds=LONGEST_SECONDS)
# As long as the fault lasts, and while new containers start.
SERVED_BY_NEW = Promise(outage_seconds=45)
TOLD = Promise(outage_seconds=45, may_answer=frozenset({"503"}))

type What = Literal["request", "answer"]


def appointment(world: World) -> dict[str, Any]:
    """Return what a visit says that is open now, by the functions' clock."""
    now = datetime.fromtimestamp(world.clock.now(), UTC)
    return {"startsAt": now.isoformat(timespec="seconds"), "admission": "on-time"}


@pytest.mark.parametrize(("outage", "refusals"), [("refuses connections", 12), ("silent", 4)])
def test_no_visit_without_dynamodb(world: World, outage: str, refusals: int) -> None:
    """Everything but the page says so in seconds, and works again without a restart."""
    told = (RECORD, LISTS, ENTRIES, STATUS)
    with Crowd(*world.askers.visits()) as crowd:
        world.proxies.dynamodb.switch(OUTAGES[outage])
        crowd.go_on(RECORD, refusals, "503")
        world.proxies.dynamodb.switch("through")
        for group in told:
            crowd.go_on(group, 2, GOOD)

    promises = dict.fromkeys(told, TOLD) | {PAGE: UNNOTICED}
    world.table.hold(f"visits, DynamoDB: {outage}", crowd, promises)
    assert [group for group in told if not crowd.figures(group).kinds["503"]] == []
    assert max(crowd.figures(group).p99 for group in told) < LONGEST_SECONDS


def test_slow_answers_of_dynamodb_are_worth_the_wait(world: World) -> None:
    """Half a second below the functions' time limit for each of their calls."""
    with Crowd(*world.askers.visits()) as crowd:
        world.proxies.dynamodb.switch(SLOW)
        crowd.go_on(ENTRIES, 2)

    promises = dict.fromkeys(EVERYBODY, SERVED_LATE)
    world.table.hold("visits, DynamoDB: slow (1.5 s)", crowd, promises)


def test_visits_go_on_with_the_last_keys(world: World) -> None:
    """Up to MaximumStaleSeconds after they had to be read again."""
    with Crowd(*world.askers.visits()) as crowd:
        world.proxies.secrets_manager.switch("silent")
        for pause in (KEY_FRESH_SECONDS, MAXIMUM_STALE_SECONDS - KEY_FRESH_SECONDS):
            world.clock.jump(pause)
            for group in (RECORD, ENTRIES):
                crowd.go_on(group, 4, GOOD)

    # A container that has only shown or listed visits has not read its key yet.
    seldom = Promise(outage_seconds=15, may_answer=frozenset({"503"}))
    promises = dict.fromkeys(EVERYBODY, UNNOTICED) | dict.fromkeys((RECORD, ENTRIES), seldom)
    world.table.hold("visits, Secrets Manager: gone for 4 hours", crowd, promises)


def test_new_containers_without_keys_and_settings_say_so(world: World) -> None:
    """They show the page and the visit, and ask who needs a key to try again."""
    with Crowd(*world.askers.visits()) as crowd:
        world.proxies.secrets_manager.switch("silent")
        world.proxies.ssm.switch("silent")
        for function in ("ManageVisits", "JoinVisit"):
            world.service.replace_containers(function)
        for group in (RECORD, ENTRIES):
            crowd.go_on(group, 4, "503")
        world.proxies.secrets_manager.switch("through")
        world.clock.jump(RETRY_SECONDS)
        for group in (RECORD, ENTRIES):
            crowd.go_on(group, 4, GOOD)

    promises = dict.fromkeys(EVERYBODY, SERVED_BY_NEW) | dict.fromkeys((RECORD, ENTRIES), TOLD)
    scenario = "visits, Secrets Manager and SSM: silent, new containers"
    world.table.hold(scenario, crowd, promises)


@pytest.mark.parametrize("what", ["request", "answer"])
def test_a_put_that_failed_is_repeated(world: World, what: What) -> None:
    """Written or not, it is one visit with one set of links."""
    visits, visit_id = world.askers.clinic, f"lost-{what}"
    sent = appointment(world)
    before = visits.items().keys()

    world.proxies.dynamodb.switch(Lost(what, "TransactWriteItems"))
    failed = visits.call("PUT", f"/{visit_id}", json=body(**sent))
    world.proxies.dynamodb.switch("through")
    written = visits.items().keys() - before
    [first, second] = (visits.put(visit_id, **sent) for _ in range(2))

    assert (kind(failed), failed.headers["retry-after"]) == ((503, "unavailable"), "30")
    items = visits.items().keys() - before
    assert written == (items if what == "answer" else set())
    assert sorted(item[0] for item in items) == ["L", "L", "L", "R", "V"]
    assert links_of(first) == links_of(second)


@pytest.mark.parametrize("what", ["request", "answer"])
def test_an_enter_that_failed_is_repeated(world: World, what: What) -> None:
    """All that it left is the id of a token that nobody has."""
    visits, visit_id = world.askers.clinic, f"entered-{what}"
    link = links_of(visits.put(visit_id, **appointment(world)))["patient"]
    before = visits.items()

    world.proxies.dynamodb.switch(Lost(what, "UpdateItem"))
    failed = visits.enter(link)
    world.proxies.dynamodb.switch("through")
    items = visits.items()
    entered = visits.enter(link)

    assert (kind(failed), failed.headers["retry-after"]) == ((503, "unavailable"), "30")
    [left] = items.keys() - before.keys()
    assert left.startswith("J#")
    assert int(items[left]["erase_at"]["N"]) == int(items[left]["exp"]["N"]) + 86_400
    [known] = visits.items().keys() - items.keys()
    assert known == f"J#{claims_of(token_of(entered))['jti']}"


def test_the_log_of_all_faults_holds_nothing_of_anybody(world: World) -> None:
    """Runs last: every other test here left its tokens, links and names."""
    lines = whole_log(world.service.emulator)

    assert lines
    assert found(lines, needles(world.service)) == set()
