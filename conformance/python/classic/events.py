"""Events."""

from driver.harness import equal, true

from .sdk import step


@step("events.types", "list the types of events")
def types(w):
    w.event_types = {kind.id: kind.name for kind in w.api.call("get_event_types")}
    equal("5", w.event_types.get(5), "USER_LOGGED_INTO_ONELOGIN")


@step("events.list", "list a user's events, filter by type, get one")
def listed(w):
    events = w.api.call("get_events", {"user_id": w.bob["id"]})
    true(events, "no events")
    for event in events:
        equal("user_id", event.user_id, w.bob["id"])
        true(event.event_type_id in w.event_types, f"type {event.event_type_id} is not listed")
    removed = w.api.call("get_events", {"user_id": w.bob["id"], "event_type_id": 24})
    equal("devices removed", [event.event_type_id for event in removed], [24])
    equal("the same event", w.api.call("get_event", removed[0].id).id, removed[0].id)


@step("events.pages", "page through events by cursor")
def pages(w):
    every = [event.id for event in w.api.call("get_events", {"user_id": w.bob["id"]})]
    paged = [event.id for event in w.api.call("get_events", {"user_id": w.bob["id"], "limit": 5})]
    equal("events by pages of five", paged, every)
