"""The JWK set of GET /.well-known/jwks.json (RFC 7517), as core/public_keys.py makes it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Jwk(Struct, frozen=True, forbid_unknown_fields=True):
    """A public key that verifies meeting tokens."""

    kty: Annotated[Literal["RSA"], Meta(description="The key type.", examples=["RSA"])]
    use: Annotated[
        Literal["sig"], Meta(description="The key's use: `sig`, signatures.", examples=["sig"])
    ]
    alg: Annotated[
        Literal["RS256"], Meta(description="The signature algorithm.", examples=["RS256"])
    ]
    kid: Annotated[
        str,
        Meta(
            description="The key's id, as in the header of the tokens that it verifies.",
            examples=["initial"],
        ),
    ]
    n: Annotated[
        str, Meta(description="The RSA modulus, in base64url.", examples=["0vx7agoebGcQ…"])
    ]
    e: Annotated[str, Meta(description="The RSA exponent, in base64url.", examples=["AQAB"])]


class JwkSet(Struct, frozen=True, forbid_unknown_fields=True):
    """All public keys that valid tokens may need."""

    keys: Annotated[
        list[Jwk],
        Meta(
            description="The public keys, newest first.",
            examples=[
                [
                    {
                        "kty": "RSA",
                        "use": "sig",
                        "alg": "RS256",
                        "kid": "initial",
                        "n": "0vx7agoebGcQ…",
                        "e": "AQAB",
                    }
                ]
            ],
        ),
    ]
