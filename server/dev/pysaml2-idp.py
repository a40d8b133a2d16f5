# pysaml2 as an identity provider: reads what to make from standard input, writes five responses in base64 as JSON. It signs and encrypts with
# xmlsec1, so that neither our parser nor our canonical form had a hand in what it makes.
import base64, json, os, sys, tempfile

import saml2.sigver as sigver
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.config import IdPConfig
from saml2.saml import NAMEID_FORMAT_EMAILADDRESS, NameID
from saml2.server import Server

want = json.load(sys.stdin)
folder = tempfile.mkdtemp()


def put(name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


server = Server(config=IdPConfig().load({
    "entityid": want["idp"],
    "xmlsec_binary": want["xmlsec1"],
    "key_file": put("key.pem", want["key"]),
    "cert_file": put("cert.pem", want["certificate"]),
    "metadata": {"local": [put("sp.xml", want["metadata"])]},
    "service": {"idp": {
        "endpoints": {"single_sign_on_service": [(want["idp"] + "/sso", BINDING_HTTP_REDIRECT)]},
        "policy": {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None, "name_form": "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"}},
    }},
}))

# Debian's pysaml2 encrypts with triple DES unless told otherwise.
plain_part = sigver.pre_encryption_part
plain_encrypt = sigver.CryptoBackendXmlSec1.encrypt_assertion


def part(**more):
    return plain_part(msg_enc="http://www.w3.org/2009/xmlenc11#aes256-gcm", **more)


def encrypt(self, statement, enc_key, template, key_type="des-192", node_xpath=None, node_id=None):
    return plain_encrypt(self, statement, enc_key, template, "aes-256", node_xpath, node_id)


import saml2.entity

sigver.pre_encryption_part = saml2.entity.pre_encryption_part = part
sigver.CryptoBackendXmlSec1.encrypt_assertion = encrypt

SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
DIGEST = "http://www.w3.org/2001/04/xmlenc#sha256"


def response(identity, **more):
    made = server.create_authn_response(
        identity,
        in_response_to=want["request"],
        destination=want["acs"],
        sp_entity_id=want["audience"],
        name_id=NameID(format=NAMEID_FORMAT_EMAILADDRESS, text="luca@northwind-lamps.example"),
        userid="luca",
        authn={"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", "authn_auth": want["idp"]},
        sign_alg=SHA256,
        digest_alg=DIGEST,
        **more,
    )
    return base64.b64encode(str(made).encode()).decode()


# Names of eduPerson and friends go out as urn:oid, as at universities; ours as they are.
short = {"email": "luca@northwind-lamps.example", "department": "Sales", "groups": ["Sales", "All staff"]}
formal = {"mail": ["luca@northwind-lamps.example"], "givenName": ["Luca"], "sn": ["Lumen"]}
json.dump([
    {"shape": "a signed assertion", "message": response(short, sign_assertion=True, sign_response=False)},
    {"shape": "a signed response", "message": response(short, sign_assertion=False, sign_response=True)},
    {"shape": "both signed", "message": response(short, sign_assertion=True, sign_response=True)},
    {"shape": "a signed assertion, encrypted, in a signed response", "message": response(short, sign_assertion=True, sign_response=True, encrypt_assertion=True, encrypt_assertion_self_contained=True)},
    {"shape": "attributes by object identifier", "message": response(formal, sign_assertion=True, sign_response=False)},
], sys.stdout)
