"""The JWK set of GET /.well-known/jwks.json (RFC 7517), as core/public_keys.py makes it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Jwk(Struct, frozen=True, forbid_unknown_fields=True):
    """A public key that verifies meeting tokens."""

    kty: Annotated[Literal["RSA"], Meta(description="The kind of key.", examples=["RSA"])]
    use: Annotated[Literal["sig"], Meta(description="It verifies signatures.", examples=["sig"])]
    alg: Annotated[
        Literal["RS256"], Meta(description="What tokens are signed with.", examples=["RS256"])
    ]
    kid: Annotated[
        str,
        Meta(
            description="The key's id, as in the header of the tokens that it verifies.",
            examples=["initial"],
        ),
    ]
    n: Annotated[str, Meta(description="The modulus, base64url.", examples=["0vx7agoebGcQ…"])]
    e: Annotated[str, Meta(description="The exponent, base64url.", examples=["AQAB"])]


class JwkSet(Struct, frozen=True, forbid_unknown_fields=True):
    """All public keys that a token in use may need."""

    keys: Annotated[
        list[Jwk],
        Meta(
            description="The keys, the latest first.",
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
