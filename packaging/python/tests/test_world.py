"""What a world hands over, each thing used once."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from countersign_mfa import CallError, CountersignError, NoMessage, World

MFA = "/api/2/mfa/users/{}"


def enrol_sms(world: World, name: str = "ana") -> str:
    """Gives a user a device for text messages. Returns its id."""
    registrations = MFA.format(world.user(name).id) + "/registrations"
    begun = world.api("POST", registrations, {"factor_id": "2", "display_name": "My phone"})
    code = world.outbox.wait(name, channel="sms").code
    return str(world.api("PUT", f"{registrations}/{begun['id']}", {"otp": code})["device_id"])


def challenge(world: World, device: str, name: str = "ana") -> str:
    """Sends a challenge. Returns the path of the verification."""
    verifications = MFA.format(world.user(name).id) + "/verifications"
    begun = world.api("POST", verifications, {"device_id": device})
    return f"{verifications}/{begun['id']}"


def refused(world: World, path: str, code: str) -> int:
    with pytest.raises(CallError) as error:
        world.api("PUT", path, {"otp": code})
    return error.value.status


def test_a_code_of_a_text_message_is_accepted_once(mfa: World) -> None:
    device = enrol_sms(mfa)
    path = challenge(mfa, device)
    message = mfa.outbox.wait("ana", channel="sms")
    assert message.code is not None and message.code in message.body
    assert message.to == mfa.user("ana").phone
    assert mfa.api("PUT", path, {"otp": message.code})["status"] == "accepted"
    assert refused(mfa, path, message.code) == 404


def test_a_reset_leaves_no_device_and_no_message(mfa: World) -> None:
    enrol_sms(mfa)
    mfa.reset()
    assert mfa.outbox.messages() == []
    assert mfa.api("GET", MFA.format(1) + "/devices") == []


def test_wait_returns_every_message_once_and_the_oldest_first(mfa: World) -> None:
    device = enrol_sms(mfa)
    first, second = challenge(mfa, device), challenge(mfa, device)
    mfa.outbox.wait("ana", verification_id=second.rsplit("/", 1)[1])
    mfa.outbox.forget()
    mfa.outbox.wait("ana")  # the code of the enrolment, which was forgotten too
    one, two = mfa.outbox.wait("ana"), mfa.outbox.wait("ana")
    assert [one.verification_id, two.verification_id] == [first.rsplit("/", 1)[1], second.rsplit("/", 1)[1]]
    with pytest.raises(NoMessage):
        mfa.outbox.wait("ana", timeout=0.2)


def test_wait_picks_the_channel_and_the_user(mfa: World) -> None:
    telephone = enrol_sms(mfa, "ben"), enrol_sms(mfa, "ana")
    phone = mfa.phone.pair(
        mfa.api("POST", MFA.format(1) + "/registrations", {"factor_id": "1", "display_name": "My phone"})
    )
    challenge(mfa, telephone[0], "ben")
    challenge(mfa, telephone[1])
    challenge(mfa, str(phone))
    assert mfa.outbox.wait("ana", channel="push").channel == "push"
    assert mfa.outbox.wait(mfa.user("ana")).channel == "sms"
    assert mfa.outbox.wait().username == "ben"


def test_no_message_says_what_arrived_instead(mfa: World) -> None:
    enrol_sms(mfa)
    with pytest.raises(NoMessage) as error:
        mfa.outbox.wait("ben", channel="email", timeout=0.1)
    assert "sms to ana at +14155550101 (read)" in str(error.value)
    assert "requests()" in str(error.value)


def test_a_verification_expires_when_the_clock_moves(mfa: World) -> None:
    path = challenge(mfa, enrol_sms(mfa))
    code = mfa.outbox.wait("ana", verification_id=path.rsplit("/", 1)[1]).code
    before = mfa.clock.now()
    assert mfa.clock.advance(timedelta(minutes=3)) - before >= timedelta(minutes=3)
    assert code is not None
    assert refused(mfa, path, code) == 404


def test_a_token_expires_when_the_clock_moves(mfa: World) -> None:
    token = {"Authorization": "Bearer " + mfa._http.token(mfa.client.client_id, mfa.client.client_secret)}
    mfa._http.call("GET", MFA.format(1) + "/factors", None, token)
    mfa.clock.advance(36_001)
    with pytest.raises(CallError) as error:
        mfa._http.call("GET", MFA.format(1) + "/factors", None, token)
    assert error.value.status == 401


def test_the_clock_is_set_frozen_and_resumed(mfa: World) -> None:
    there = datetime(2030, 1, 1, tzinfo=timezone.utc)
    mfa.clock.freeze()
    assert mfa.clock.set(there) == there == mfa.clock.now() == mfa.clock.now()
    assert mfa.clock.resume() >= there
    with pytest.raises(ValueError, match="zone"):
        mfa.clock.set(datetime(2030, 1, 1))


def test_the_phone_accepts_and_denies(mfa: World) -> None:
    begun = mfa.api("POST", MFA.format(1) + "/registrations", {"factor_id": "1", "display_name": "My phone"})
    device = mfa.phone.pair(begun)
    assert mfa.phone.device_ids == [device]
    for answer, status in [("accept", "accepted"), ("deny", "rejected")]:
        path = challenge(mfa, str(device))
        assert mfa.api("GET", path)["status"] == "pending"
        getattr(mfa.phone, answer)("ana")
        assert mfa.api("GET", path)["status"] == status
    path = challenge(mfa, str(device))
    mfa.outbox.wait("ana", channel="push", verification_id=path.rsplit("/", 1)[1]).report()
    assert mfa.api("GET", path)["status"] == "rejected"
    with pytest.raises(CallError, match="no push is waiting"):
        mfa.phone.accept("ana", timeout=0.1)


def test_an_authenticator_app_shows_a_code_that_is_not_used(mfa: World) -> None:
    registrations = MFA.format(1) + "/registrations"
    begun = mfa.api("POST", registrations, {"factor_id": "5", "display_name": "My app"})
    first = mfa.authenticator.code("ana")
    device = mfa.api("PUT", f"{registrations}/{begun['id']}", {"otp": first})["device_id"]
    second = mfa.authenticator.code("ana")
    assert second != first
    path = challenge(mfa, device)
    assert mfa.api("PUT", path, {"otp": second})["status"] == "accepted"
    with pytest.raises(CountersignError, match="enrol one first"):
        mfa.authenticator.code("ben")


def test_a_gateway_that_fails_sends_nothing(mfa: World) -> None:
    device = enrol_sms(mfa)
    assert mfa.faults.set("sms", fail=1)["fail"] == 1
    path = challenge(mfa, device)
    with pytest.raises(NoMessage, match="fault played: fail, sms"):
        mfa.outbox.wait("ana", channel="sms", timeout=0.5)
    assert mfa.faults.played[0]["verification_id"] == path.rsplit("/", 1)[1]
    mfa.faults.clear()
    challenge(mfa, device)
    assert mfa.outbox.wait("ana", channel="sms").code


def test_clients_are_found_by_scope_and_profile(mfa: World) -> None:
    assert mfa.client_for() == mfa.client
    assert mfa.client_for("Read All").scope == "Read All"
    assert mfa.client_for(profile="python4").profile == "python4"
    with pytest.raises(CountersignError, match="Manage users / default"):
        mfa.client_for("Everything")


def test_users_are_found_by_name_and_id(mfa: World) -> None:
    ana = mfa.user("ana")
    assert mfa.user(ana.id) == ana == mfa.user(ana)
    assert ana.email == "ana@example.com" and ana.password
    with pytest.raises(CountersignError, match="ana, ben, chie"):
        mfa.user("zoe")


def test_calls_are_listed_with_why_they_were_refused(mfa: World) -> None:
    device = enrol_sms(mfa)
    path = challenge(mfa, device)
    code = mfa.outbox.wait("ana").code
    refused(mfa, path, "000000" if code != "000000" else "000001")
    last = mfa.requests()[-1]
    mfa.reset()
    assert mfa.requests() == []
    mfa.api("GET", MFA.format(1) + "/devices")
    assert [call["status"] for call in mfa.requests()] == [200, 200]
    assert last["path"] == path and last["status"] >= 400 and last["reason"]
