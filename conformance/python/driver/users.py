"""Users: the v2 calls, and those v1 calls that these SDKs can read."""

import re

import pydantic
from onelogin import (
    GetUserRoles200Response,
    LockAccountUserRequest,
    SetUserStateRequest,
    UpdatePasswordInsecureRequest,
    User,
)

from .harness import Known, equal, matches, step, true
from .oauth import ISO_MS
from .sdk import no_method, refused_v1, refused_v2, unreadable

PASSWORD = "correct horse battery staple"
UNKNOWN_USER = 2_000_000_000


def done(answer):
    """The flat status some v1 answers must repeat for these SDKs."""
    equal("code", answer.code, 200)
    equal("type", answer.type, "success")
    equal("message", answer.message, "Success")
    equal("error", answer.error, False)


@step("users.v2.list", "list users")
def list_users(w):
    users = {user.id: user for user in w.api.users2.list_users2()}
    for known in w.ready["users"]:
        user = users.get(known["id"])
        true(user is not None, f"user {known['id']} is not listed")
        for field in ("username", "email", "phone"):
            equal(field, getattr(user, field), known[field])
        equal("status", user.status, 1)
        matches("created_at", user.created_at, ISO_MS)


@step("users.v2.filter", "list users by e-mail, name and ids")
def filter_users(w):
    known = w.ready["users"][1]
    for query in (
        {"email": known["email"]},
        {"username": known["username"]},
        {"user_ids": str(known["id"])},
    ):
        found = w.api.users2.list_users2(**query)
        equal(f"users for {query}", [user.id for user in found], [known["id"]])
    equal("users for nobody", w.api.users2.list_users2(email="nobody@example.invalid"), [])


@step("users.v2.pages", "page through users by number and by cursor")
def pages(w):
    every = [user.id for user in w.api.users2.list_users2()]
    first = w.api.users2.list_users2_with_http_info(limit=1)
    equal("first page", [user.id for user in first.data], every[:1])
    equal("current-page", first.headers.get("current-page"), "1")
    equal("page-items", first.headers.get("page-items"), "1")
    equal("total-count", first.headers.get("total-count"), str(len(every)))
    equal("total-pages", first.headers.get("total-pages"), str(len(every)))
    true("before-cursor" not in first.headers, "there is nothing before the first page")
    second = w.api.users2.list_users2_with_http_info(limit=1, page=2)
    equal("second page", [user.id for user in second.data], every[1:2])
    walked, cursor = [], None
    while True:
        page = w.api.users2.list_users2_with_http_info(limit=1, cursor=cursor)
        walked += [user.id for user in page.data]
        cursor = page.headers.get("after-cursor")
        if cursor is None or len(walked) > len(every):
            break
    equal("users by cursor", walked, every)


@step("users.v2.create", "create a user with a password")
def create(w):
    user = w.api.users2.create_user2(
        mappings="async",
        validate_policy=True,
        user=User(
            username="maya",
            email="maya@example.com",
            firstname="Maya",
            lastname="Ito",
            phone="+14155550142",
            title="Auditor",
            password=PASSWORD,
            password_confirmation=PASSWORD,
        ),
    )
    true(type(user.id) is int and user.id > 0, f"id: got {user.id!r}")
    for field, want in (
        ("username", "maya"),
        ("email", "maya@example.com"),
        ("firstname", "Maya"),
        ("lastname", "Ito"),
        ("phone", "+14155550142"),
        ("title", "Auditor"),
        ("status", 1),
        ("password", None),
        ("salt", None),
        ("invalid_login_attempts", 0),
    ):
        equal(field, getattr(user, field), want)
    for field in ("created_at", "updated_at"):
        matches(field, getattr(user, field), ISO_MS)
    w.maya = user.id


@step("users.v2.create_twice", "a second user of the same name is refused")
def create_twice(w):
    message = f"Validation failed: Username must be unique within {w.ready['subdomain']}"
    refused_v2(
        422,
        "UnprocessableEntityError",
        message,
        w.api.users2.create_user2,
        user=User(username="maya", email="maya@example.net"),
    )


@step("users.v2.get", "get a user; an unknown one is not found")
def get(w):
    user = w.api.users2.get_user2(w.maya)
    equal("id", user.id, w.maya)
    equal("username", user.username, "maya")
    equal("password", user.password, None)
    equal("role_ids", user.role_ids, [])
    equal("custom_attributes", user.custom_attributes, {})
    refused_v2(
        404,
        "NotFoundError",
        "The resource with the given id could not be found",
        w.api.users2.get_user2,
        UNKNOWN_USER,
    )


@step("users.v2.update", "update a user; what is not named stays")
def update(w):
    user = w.api.users2.update_user2(w.maya, user=User(title="Lead auditor", department="Risk"))
    equal("title", user.title, "Lead auditor")
    equal("department", user.department, "Risk")
    equal("lastname", user.lastname, "Ito")
    equal("title, read back", w.api.users2.get_user2(w.maya).title, "Lead auditor")


@step("users.v2.update_read_back", "send a user back as it was read, one member changed")
def update_read_back(w):
    user = w.api.users2.get_user2(w.maya)
    user.company = "Example Ltd"
    again = w.api.users2.update_user2(w.maya, validate_policy=False, user=user)
    equal("company", again.company, "Example Ltd")
    equal("created_at", again.created_at, user.created_at)
    equal("status", again.status, user.status)


@step("users.v2.apps", "list a user's applications")
def apps(w):
    equal("apps", w.api.users2.get_user_apps2(w.maya), [])


@step("users.v2.unlock", "unlock a user")
def unlock(w):
    no_method("unlock")
    return Known("the SDK has no unlock method; setting `status` to 1 by an update does it (see users.v1.lock)")


@step("users.v1.lock", "lock a user (v1), see it in v2, make it active again")
def lock(w):
    done(w.api.users1.lock_account_user(w.maya, LockAccountUserRequest(locked_until=15)))
    user = w.api.users2.get_user2(w.maya)
    equal("status", user.status, 3)
    matches("locked_until", user.locked_until, ISO_MS)
    equal("status", w.api.users2.update_user2(w.maya, user=User(status=1)).status, 1)
    equal("status, read back", w.api.users2.get_user2(w.maya).status, 1)


@step("users.v1.state", "set a user's state (v1)")
def state(w):
    for value in (3, 1):
        done(w.api.users1.set_user_state(w.maya, SetUserStateRequest(state=value)))
        equal("state", w.api.users2.get_user2(w.maya).state, value)


@step("users.v1.password", "set a password (v1); two that differ are refused")
def password(w):
    new = PASSWORD + " 2"
    set_password = w.api.users1.update_password_insecure
    done(set_password(w.maya, UpdatePasswordInsecureRequest(password=new, password_confirmation=new)))
    refused_v1(
        400,
        "bad request",
        "password_confirmation does not match",
        set_password,
        w.maya,
        UpdatePasswordInsecureRequest(password=new, password_confirmation=new + "x"),
    )


@step("users.v1.logout", "log a user out (v1)")
def logout(w):
    done(w.api.users1.log_out_user(w.maya))


@step("users.v1.custom_attributes", "list the names of custom attributes (v1)")
def custom_attributes(w):
    answer = w.api.users1.get_custom_attributes()
    equal("status.code", answer.status.code, 200)
    true(isinstance(answer.data, list) and len(answer.data) == 1, f"data: got {answer.data!r}")


ENVELOPE = "the v1 answer is an envelope, the SDK's model wants the bare user (contract 14.13); use UsersV2Api"


@step("users.v1.list", "list users (v1)")
def list_v1(w):
    unreadable("User", w.api.users1.list_users)
    true(len(w.api.last_json()["data"]) >= len(w.ready["users"]), "the answer itself lists the users")
    return Known(ENVELOPE)


@step("users.v1.get", "get a user (v1)")
def get_v1(w):
    unreadable("status", w.api.users1.get_user_by_id, w.maya)
    equal("id in the answer", w.api.last_json()["data"][0]["id"], w.maya)
    return Known(ENVELOPE)


@step("users.v1.create", "create a user (v1)")
def create_v1(w):
    user = User(username="noor", email="noor@example.com", firstname="Noor", lastname="Haddad")
    equal("what the SDK gives back", w.api.users1.create_user(user=user), None)
    equal("status of the answer", w.api.last_status, 200)
    w.noor = w.api.last_json()["data"][0]["id"]
    equal("username in v2", w.api.users2.get_user2(w.noor).username, "noor")
    return Known("the user is made, but v1 answers 200 where the SDK reads only 201, so it gives None (contract 14.13); use UsersV2Api")


@step("users.v1.update", "update a user (v1)")
def update_v1(w):
    unreadable("status", w.api.users1.update_user, w.maya, user=User(comment="seen in v1"))
    equal("comment in v2", w.api.users2.get_user2(w.maya).comment, "seen in v1")
    return Known(ENVELOPE)


@step("users.v1.roles", "list a user's roles (v1)")
def roles_v1(w):
    success = {"error": False, "code": 200, "type": "success", "message": "Success"}
    unreadable("data", GetUserRoles200Response.from_dict, {"status": success, "data": [[1, 2]]})
    try:
        equal("roles", w.api.users1.get_user_roles(w.maya).data, [])
    except pydantic.ValidationError:
        equal("data in the answer", w.api.last_json()["data"], [[]])
    return Known("v1 documents a list in a list (`[[1,2]]`), the SDK's model wants a flat one; use `role_ids` of UsersV2Api")


@step("users.v1.apps", "list a user's applications (v1)")
def apps_v1(w):
    unreadable("GetUserApps200ResponseInner", w.api.users1.get_user_apps, w.maya)
    return Known("the v1 answer is an envelope, the SDK's model wants the bare list (contract 14.13); use UsersV2Api")
