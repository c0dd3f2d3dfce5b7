"""Users, in both versions of the API."""

import hashlib

from driver.harness import equal, true

from .sdk import TWO, step

PASSWORD = "correct horse battery staple"
UNKNOWN_USER = 2_000_000_000


def listed(w):
    users = {user.id: user for user in w.api.call("get_users")}
    for known in w.ready["users"]:
        user = users.get(known["id"])
        true(user is not None, f"user {known['id']} is not listed")
        for field in ("username", "email", "phone"):
            equal(field, getattr(user, field), known[field])
        equal("status", user.status, 1)


def filtered(w):
    for name in ("email", "username"):
        found = w.api.call("get_users", {name: w.bob[name]})
        equal(f"users by {name}", [user.id for user in found], [w.bob["id"]])
    equal("users for nobody", w.api.call("get_users", {"email": "nobody@example.invalid"}), [])


def paged(w):
    every = [user.id for user in w.api.call("get_users")]
    true(len(every) > 2, "one page is all there is")
    equal("users by pages of one", [user.id for user in w.api.call("get_users", {"limit": 1})], every)


def created(w, name):
    user = w.api.call(
        "create_user",
        {"username": name, "email": f"{name}@example.com", "firstname": "Nia", "lastname": "Ito", "phone": "+14155550142"},
    )
    true(type(user.id) is int and user.id > 0, f"id: got {user.id!r}")
    equal("username", user.username, name)
    equal("phone", user.phone, "+14155550142")
    return user.id


def updated(w, user_id):
    user = w.api.call("update_user", user_id, {"title": "Auditor"})
    equal("title", user.title, "Auditor")
    equal("firstname, not named", user.firstname, "Nia")


# Version 2 of the API.


@step("users.v2.list", "list users", TWO)
def list_v2(w):
    listed(w)


@step("users.v2.filter", "list users by e-mail and name", TWO)
def filter_v2(w):
    filtered(w)


@step("users.v2.pages", "page through users by number and by cursor", TWO)
def pages_v2(w):
    paged(w)


@step("users.v2.create", "create a user", TWO)
def create_v2(w):
    w.maya = created(w, "maya")


@step("users.v2.create_twice", "a second user of the same name is refused", TWO)
def create_twice(w):
    w.api.refused(
        422,
        f"Validation failed: Username must be unique within {w.ready['subdomain']}",
        "create_user",
        {"username": "maya", "email": "maya@example.net"},
    )


@step("users.v2.get", "get a user; an unknown one is not found", TWO)
def get_v2(w):
    equal("username", w.api.call("get_user", w.maya).username, "maya")
    w.api.refused(404, "The resource with the given id could not be found", "get_user", UNKNOWN_USER)


@step("users.v2.update", "update a user; what is not named stays", TWO)
def update_v2(w):
    updated(w, w.maya)


@step("users.v2.apps", "list a user's applications", TWO)
def apps_v2(w):
    equal("apps", w.api.call("get_user_apps", w.bob["id"]), [])


# Version 1 of the API.


@step("users.v1.list", "list users (v1)")
def list_v1(w):
    w.api.speak(1)
    listed(w)


@step("users.v1.filter", "list users by e-mail and name (v1)")
def filter_v1(w):
    filtered(w)


@step("users.v1.pages", "page through users by cursor (v1)")
def pages_v1(w):
    paged(w)


@step("users.v1.create", "create a user (v1)")
def create_v1(w):
    w.nora = created(w, "nora")


@step("users.v1.get", "get a user (v1)")
def get_v1(w):
    equal("username", w.api.call("get_user", w.nora).username, "nora")
    w.api.refused(404, f"User for id {UNKNOWN_USER} was not found", "get_user", UNKNOWN_USER)


@step("users.v1.update", "update a user (v1)")
def update_v1(w):
    updated(w, w.nora)


@step("users.v1.lock", "lock a user (v1), see it, make it active again")
def lock(w):
    equal("answer", w.api.call("lock_user", w.nora, 15), True)
    equal("status", w.api.call("get_user", w.nora).status, 3)
    # Version 2 of the SDK accepts `status` only with version 2 of the API.
    w.api.speak(2)
    equal("status", w.api.call("update_user", w.nora, {"status": 1}).status, 1)
    w.api.speak(1)


@step("users.v1.state", "set a user's state (v1)")
def state(w):
    for value in (0, 1):
        equal("answer", w.api.call("set_state_to_user", w.nora, value), True)
        equal("state", w.api.call("get_user", w.nora).state, value)


@step("users.v1.password", "set a password (v1); two that differ are refused")
def password(w):
    equal("answer", w.api.call("set_password_using_clear_text", w.nora, PASSWORD, PASSWORD), True)
    w.api.refused(
        400, "password_confirmation does not match", "set_password_using_clear_text", w.nora, PASSWORD, PASSWORD + "!"
    )


@step("users.v1.password_hashed", "set a password as another system hashed it (v1)")
def password_hashed(w):
    salt = "11xxxx1"
    hashed = hashlib.sha256((salt + PASSWORD).encode()).hexdigest()
    done = w.api.call("set_password_using_hash_salt", w.nora, hashed, hashed, "salt+sha256", salt)
    equal("answer", done, True)


@step("users.v1.logout", "log a user out (v1)")
def logout(w):
    equal("answer", w.api.call("log_user_out", w.nora), True)


@step("users.v1.custom_attributes", "set a custom attribute and list the names (v1)")
def custom_attributes(w):
    equal("answer", w.api.call("set_custom_attribute_to_user", w.nora, {"badge": "77"}), True)
    true("badge" in w.api.call("get_custom_attributes"), "the attribute is not listed")
    equal("badge", w.api.call("get_user", w.nora).custom_attributes["badge"], "77")


@step("users.v1.roles", "list a user's roles (v1)")
def roles(w):
    equal("roles", w.api.call("get_user_roles", w.nora), [])


@step("users.v1.apps", "list a user's applications (v1)")
def apps_v1(w):
    equal("apps", w.api.call("get_user_apps", w.nora), [])
