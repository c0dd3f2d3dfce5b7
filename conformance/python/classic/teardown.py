"""Deletes the users that earlier steps created."""

from driver.harness import equal

from .sdk import TWO, step


@step("users.v1.delete", "delete a user (v1)")
def delete_v1(w):
    w.api.speak(1)
    equal("answer", w.api.call("delete_user", w.nora), True)
    w.api.refused(404, f"User for id {w.nora} was not found", "get_user", w.nora)


@step("users.v2.delete", "delete a user; it and its devices are gone", TWO)
def delete_v2(w):
    w.api.speak(2)
    equal("answer", w.api.call("delete_user", w.maya), True)
    w.api.refused(404, "The resource with the given id could not be found", "get_user", w.maya)
