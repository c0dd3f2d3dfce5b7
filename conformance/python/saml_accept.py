#!/usr/bin/env python3
"""Checks that third-party libraries and tools accept our SAML responses.

    cargo run -p countersign-saml --example saml_sample -- FOLDER "$(date +%s)"
    python saml_accept.py FOLDER

Run it with the interpreter of a virtual environment that has some of these packages. Each reader whose package is
installed prints one JSON line, {"reader": …, "ok": true | false, "detail": …}. The exit status is 1 if a reader refused
the response, 2 if no package is installed.

    signxml                   verifies the signatures, refuses tampered ones, reads what was signed
    pysaml2                   a whole service provider: schemas, metadata, conditions (it needs the program xmlsec1)
    python3-saml              OneLogin's own toolkit for services, strict
    onelogin-aws-cli          finds the AWS roles
    onelogin-aws-assume-role  finds the attributes and checks the validity
"""

import argparse
import base64
import importlib.metadata
import importlib.util
import json
import pathlib
import sys
from types import SimpleNamespace

ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
AWS = "https://aws.amazon.com/SAML/Attributes/"
CONSUMER = "https://signin.aws.amazon.com/saml"
ISSUER = "https://id.example.com/saml"
NAME_ID = "jane & joe <jane@example.com>"
PROVIDER = "arn:aws:iam::123456789012:saml-provider/Countersign"
ROLES = ["arn:aws:iam::123456789012:role/Reader", "arn:aws:iam::123456789012:role/team/Writer"]

# The attributes in examples/saml_sample.rs of the crate `saml`.
ATTRIBUTES = {
    AWS + "Role": [f"{role},{PROVIDER}" for role in ROLES],
    AWS + "RoleSessionName": ["jane@example.com"],
    AWS + "SessionDuration": ["3600"],
    'awkward <&>"\t\n\r': [" <a&b>\t\"c\"\r\n'd' Größe 漢字 😀 ]]> ", "", "<!-- x -->"],
}


def equal(what, found, expected):
    if found != expected:
        raise AssertionError(f"{what} is {found!r} and should be {expected!r}")


def attributes_of(assertion):
    """Names and values of the attributes in an element that lxml parsed."""
    found = assertion.iter(f"{{{ASSERTION}}}Attribute")
    return {one.get("Name"): [value.text or "" for value in one] for one in found}


def signxml(folder):
    from signxml import InvalidDigest, InvalidSignature, SignatureConfiguration, XMLVerifier

    certificate = (folder / "certificate.pem").read_text()

    def signed(document, place):
        """The element that the signature directly in `place` covers."""
        where = SignatureConfiguration(location=place, expect_references=1)
        return XMLVerifier().verify(document, x509_cert=certificate, id_attribute="ID", expect_config=where).signed_xml

    in_assertion, in_response = f"./{{{ASSERTION}}}Assertion/", "./"
    for name, places in [("response", [in_assertion]), ("both", [in_assertion, in_response])]:
        document = (folder / f"{name}.xml").read_bytes()
        for place in places:
            covered = signed(document, place)
            expected = f"{{{PROTOCOL}}}Response" if place == in_response else f"{{{ASSERTION}}}Assertion"
            equal("what is signed", covered.tag, expected)
            equal("the attributes", attributes_of(covered), ATTRIBUTES)
            equal("the name", covered.findtext(f".//{{{ASSERTION}}}NameID"), NAME_ID)
            for was, now in [(b"role/Reader", b"role/Admin"), (b"jane &amp;", b"jane"), (b"\t", b" ")]:
                tampered = document.replace(was, now, 1)
                if tampered == document:
                    raise AssertionError(f"nothing to tamper with: {was}")
                try:
                    signed(tampered, place)
                except (InvalidDigest, InvalidSignature):
                    continue
                raise AssertionError(f"accepted although {was} became {now}")
    return "3 signatures verified, 9 tampered ones refused, attributes as given"


def pysaml2(folder):
    from saml2 import BINDING_HTTP_POST
    from saml2.client import Saml2Client
    from saml2.config import SPConfig
    from saml2.sigver import SignatureError
    from saml2.xml.schema import validate

    def read(xml, response_signed):
        service = {
            "endpoints": {"assertion_consumer_service": [(CONSUMER, BINDING_HTTP_POST)]},
            "allow_unsolicited": True,
            "want_assertions_signed": True,
            "want_response_signed": response_signed,
        }
        settings = {
            "entityid": CONSUMER,  # the audience of the assertion
            "allow_unknown_attributes": True,
            "metadata": {"local": [str(folder / "metadata.xml")]},
            "service": {"sp": service},
        }
        message = base64.b64encode(xml).decode()
        return Saml2Client(config=SPConfig().load(settings)).parse_authn_request_response(message, BINDING_HTTP_POST)

    # pysaml2 trims names and values, so white space around them cannot be compared.
    expected = {name.strip(): [value.strip() for value in values] for name, values in ATTRIBUTES.items()}
    validate((folder / "metadata.xml").read_text())
    for name, response_signed in [("response", False), ("both", True)]:
        xml = (folder / f"{name}.xml").read_bytes()
        validate(xml.decode())
        answer = read(xml, response_signed)
        equal("the issuer", answer.issuer(), ISSUER)
        equal("the name", answer.name_id.text, NAME_ID)
        equal("the attributes", answer.ava, expected)
        try:
            read(xml.replace(b"role/Reader", b"role/Admin", 1), response_signed)
        except SignatureError:
            continue
        raise AssertionError("accepted a tampered response")
    return "valid by the schemas, metadata read, both responses accepted, attributes as given, tampered refused"


def python3_saml(folder):
    from onelogin.saml2.errors import OneLogin_Saml2_ValidationError
    from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
    from onelogin.saml2.response import OneLogin_Saml2_Response
    from onelogin.saml2.settings import OneLogin_Saml2_Settings

    # python3-saml trims values and leaves out empty ones.
    expected = {name: [value.strip() for value in values if value] for name, values in ATTRIBUTES.items()}
    request = {"https": "on", "http_host": "signin.aws.amazon.com", "script_name": "/saml", "get_data": {}}
    metadata = OneLogin_Saml2_IdPMetadataParser.parse((folder / "metadata.xml").read_text())
    for name, response_signed in [("response", False), ("both", True)]:
        security = {"wantAssertionsSigned": True, "wantMessagesSigned": response_signed}
        service = {"entityId": CONSUMER, "assertionConsumerService": {"url": CONSUMER}}
        identity_provider = metadata["idp"]
        settings = OneLogin_Saml2_Settings({"strict": True, "sp": service, "security": security, "idp": identity_provider})
        xml = (folder / f"{name}.xml").read_bytes()
        answer = OneLogin_Saml2_Response(settings, base64.b64encode(xml).decode())
        answer.is_valid(request, raise_exceptions=True)
        equal("the name", answer.get_nameid(), NAME_ID)
        equal("the attributes", answer.get_attributes(), expected)
        tampered = xml.replace(b"role/Reader", b"role/Admin", 1)
        answer = OneLogin_Saml2_Response(settings, base64.b64encode(tampered).decode())
        try:
            answer.is_valid(request, raise_exceptions=True)
        except OneLogin_Saml2_ValidationError:
            continue
        raise AssertionError("accepted a tampered response")
    return "metadata read, both responses accepted, attributes as given, tampered refused"


def onelogin_aws_cli(folder):
    from onelogin_aws_cli import OneloginAWS

    for name in ["response", "both"]:
        # The method reads two fields of its object and sets one. A stub with these fields is enough.
        tool = SimpleNamespace(saml=SimpleNamespace(saml_response=(folder / f"{name}.b64").read_text()))
        OneloginAWS.get_arns(tool)
        equal("the roles", tool.all_roles, [(role, PROVIDER) for role in ROLES])
    return "OneloginAWS.get_arns found both roles"


def onelogin_aws_assume_role(folder):
    from aws_assume_role.saml import get_attributes, is_valid_saml_assertion

    for name in ["response", "both"]:
        message = (folder / f"{name}.b64").read_text()
        found = {key: [value or "" for value in values] for key, values in get_attributes(message).items()}
        equal("the attributes", found, ATTRIBUTES)
        if not is_valid_saml_assertion(base64.b64decode(message)):
            raise AssertionError("reported as expired: was the sample written just now?")
    return "saml.get_attributes as given, saml.is_valid_saml_assertion says yes"


# Package, module that shows that it is installed, reader.
READERS = [
    ("signxml", "signxml", signxml),
    ("pysaml2", "saml2", pysaml2),
    ("python3-saml", "onelogin.saml2", python3_saml),
    ("onelogin-aws-cli", "onelogin_aws_cli", onelogin_aws_cli),
    ("onelogin-aws-assume-role", "aws_assume_role", onelogin_aws_assume_role),
]


def is_there(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the parent package is missing
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="where the example saml_sample wrote its files")
    folder = parser.parse_args().folder
    results = []
    for package, module, reader in READERS:
        if not is_there(module):
            continue
        try:
            ok, detail = True, reader(folder)
        except Exception as error:  # any exception of a library means that it refused
            ok, detail = False, f"{type(error).__name__}: {error}"
        results.append(ok)
        version = importlib.metadata.version(package)
        print(json.dumps({"reader": f"{package} {version}", "ok": ok, "detail": detail}, ensure_ascii=False))
    if not results:
        print("none of the packages is installed", file=sys.stderr)
    return 2 if not results else 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
