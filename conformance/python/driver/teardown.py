"""Deletes users. These steps come last, because a deleted user ends everything before."""

from .harness import equal, step
from .sdk import refused


@step("users.v1.delete", "delete a user (v1)")
def delete_v1(w):
    equal("answer", w.api.users1.delete_user(w.noor), None)
    equal("status", w.api.last_status, 200)
    refused(404, w.api.users2.get_user2, w.noor)


@step("users.v2.delete", "delete a user; it and its devices are gone")
def delete(w):
    equal("answer", w.api.users2.delete_user2(w.maya), None)
    equal("status", w.api.last_status, 204)
    refused(404, w.api.users2.get_user2, w.maya)
    refused(404, w.api.users2.delete_user2, w.maya)
    refused(404, w.api.mfa2.get_authentication_devices, w.maya)
