"""The SDK as its users use it: one configuration, one client, the API classes."""

import inspect
import json

import onelogin
import pydantic
from onelogin.exceptions import ApiException

from .harness import equal, true

# Seconds the SDK may wait for one answer; a hung call fails its step, not the run.
REQUEST_TIMEOUT = 20


class Timed:
    """An API class that passes the SDK's own option `_request_timeout` with every call."""

    def __init__(self, client, api):
        self._client = client
        self._api = api

    def __getattr__(self, name):
        method = getattr(self._api, name)

        def call(*args, **kwargs):
            self._client.last_response = None
            return method(*args, _request_timeout=REQUEST_TIMEOUT, **kwargs)

        return call


class Caller:
    """The SDK with one API credential."""

    def __init__(self, base_url, client_id, client_secret):
        self.configuration = onelogin.Configuration(host=base_url, username=client_id, password=client_secret)
        self.client = onelogin.ApiClient(self.configuration)
        self.client.last_response = None
        for name, api in (
            ("oauth", onelogin.OAuth2Api),
            ("mfa1", onelogin.MultiFactorAuthenticationV1Api),
            ("mfa2", onelogin.MultiFactorAuthenticationApi),
            ("users1", onelogin.UsersV1Api),
            ("users2", onelogin.UsersV2Api),
            ("saml", onelogin.SAMLAssertionsApi),
            ("events", onelogin.EventsApi),
        ):
            setattr(self, name, Timed(self.client, api(self.client)))

    def authorize(self):
        token = self.oauth.generate_token(onelogin.GenerateTokenRequest(grant_type="client_credentials"))
        self.configuration.access_token = token.access_token
        return token

    @property
    def last_status(self):
        return self.client.last_response.status

    def last_json(self):
        """The raw last 2xx answer. The SDK keeps it even if its model cannot read it."""
        response = self.client.last_response
        true(response is not None, "the SDK got no 2xx answer")
        text = response.data if isinstance(response.data, str) else response.data.decode()
        return json.loads(text)


def refused(status, call, *args, **kwargs):
    """Calls, and expects the SDK's ApiException with this status (or one of these). Returns the error's JSON body."""
    allowed = status if isinstance(status, tuple) else (status,)
    try:
        answer = call(*args, **kwargs)
    except ApiException as error:
        body = error.body if isinstance(error.body, str) else (error.body or b"").decode()
        if error.status not in allowed:
            raise AssertionError(f"refused with {error.status} {body[:300]}, want {status}") from None
        return json.loads(body)
    raise AssertionError(f"answered {answer!r}, want ApiException {status}")


def refused_v1(status, kind, message, call, *args, **kwargs):
    body = refused(status, call, *args, **kwargs)
    equal("status.error", body["status"]["error"], True)
    equal("status.code", body["status"]["code"], status)
    equal("status.type", body["status"]["type"], kind)
    equal("status.message", body["status"]["message"], message)


def refused_v2(status, name, message, call, *args, **kwargs):
    body = refused(status, call, *args, **kwargs)
    equal("statusCode", body["statusCode"], status)
    equal("name", body["name"], name)
    if message is not None:
        equal("message", body["message"], message)
    return body


def unreadable(field, call, *args, **kwargs):
    """Calls, and expects that the SDK's strict model refuses the 2xx answer at `field`."""
    try:
        answer = call(*args, **kwargs)
    except pydantic.ValidationError as error:
        fields = {str(item["loc"][0]) if item["loc"] else error.title for item in error.errors()}
        true(field in fields, f"the model refuses {sorted(fields)}, expected {field}")
        return
    raise AssertionError(f"the SDK now reads this answer ({answer!r}): take the step off the known list")


def api_classes():
    return [getattr(onelogin, name) for name in dir(onelogin) if name.endswith("Api")]


def no_method(needle):
    """No API class of the SDK has a method with this word in its name."""
    found = [f"{api.__name__}.{method}" for api in api_classes() for method in dir(api) if needle in method]
    true(not found, f"the SDK now has {found}: take the step off the known list")


def no_path(path):
    """No API class of the SDK calls this path."""
    found = [api.__name__ for api in api_classes() if f"'{path}'" in inspect.getsource(api)]
    true(not found, f"the SDK now calls {path} in {found}: take the step off the known list")


def no_field(model, field):
    """The request model does not declare this field and drops it."""
    true(field not in model.model_fields, f"{model.__name__} now has `{field}`: take the step off the known list")
