"""Whom a patient can call: shown on every screen, and in each refusal that a screen shows."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

EXAMPLE = {
    "name": "Praxis Dr. Novak",
    "phone": "+43 1 2345678",
    "privacyUrl": "https://novak.example/privacy",
}


class Contact(Struct, rename="camel", frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom a patient can call: shown on every screen."""

    name: Annotated[
        str,
        Meta(min_length=1, max_length=100, description="The clinic.", examples=[EXAMPLE["name"]]),
    ]
    phone: Annotated[
        str,
        Meta(min_length=1, max_length=40, description="Its number.", examples=[EXAMPLE["phone"]]),
    ]
    privacy_url: (
        Annotated[
            str,
            Meta(
                max_length=2048,
                description="The https address of its privacy notice.",
                examples=[EXAMPLE["privacyUrl"]],
            ),
        ]
        | UnsetType
    ) = UNSET
