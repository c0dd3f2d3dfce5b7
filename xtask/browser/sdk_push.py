#!/usr/bin/env python3
"""An application that uses an unmodified OneLogin SDK: it enrols a phone, and asks it for a log-in.

Run it with the interpreter of a virtual environment that has the SDK. It prints a line of JSON for each step; what the person
does meanwhile, on the page behind `address`, is another program's.
"""

import json
import sys
import time

import onelogin

base_url, client_id, client_secret, user = sys.argv[1:5]
user = int(user)


def say(**facts):
    print(json.dumps(facts), flush=True)


def settled(read):
    """Polls until the person has answered. The SDK gives a model for one of the two calls, and a dictionary for the other."""
    while True:
        state = read()
        state = state if isinstance(state, dict) else state.to_dict()
        if state["status"] != "pending":
            return state
        time.sleep(0.2)


sdk = onelogin.ApiClient(onelogin.Configuration(host=base_url, username=client_id, password=client_secret))
grant = onelogin.GenerateTokenRequest(grant_type="client_credentials")
sdk.configuration.access_token = onelogin.OAuth2Api(sdk).generate_token(grant).access_token
mfa = onelogin.MultiFactorAuthenticationApi(sdk)
push = next(factor for factor in mfa.get_auth_factors(user) if factor.name == "OneLogin Protect")
request = onelogin.CreateFactorRegistrationRequest(factor_id=push.factor_id, display_name="My phone")
registration = mfa.create_factor_registration(user, create_factor_registration_request=request)
# Its model has no `factor_data`; the answer itself does.
data = sdk.last_response.data
answer = json.loads(data if isinstance(data, str) else data.decode())
say(step="enrol", address=answer["factor_data"]["totp_url"])
state = settled(lambda: mfa.get_user_registration(user, registration.id))
say(step="paired", status=state["status"])
device = next(one.device_id for one in mfa.get_authentication_devices(user) if one.auth_factor_name == "OneLogin")
request = onelogin.CreateDeviceVerificationRequest(device_id=int(device))
verification = mfa.create_device_verification(user, create_device_verification_request=request)
say(step="asked", id=verification.id)
state = settled(lambda: mfa.get_user_verification(user, verification.id))
say(step="answered", status=state["status"], device=state["device_id"])
