"""The clinic that a patient can call: on every screen, and in refusals that a screen shows."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

EXAMPLE = {
    "name": "Praxis Dr. Novak",
    "phone": "+43 1 2345678",
    "privacyUrl": "https://novak.example/privacy",
}


class Contact(Struct, rename="camel", frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The clinic that a patient can call. The page shows it on every screen."""

    name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=100,
            description="The clinic's name, at most 100 characters.",
            examples=[EXAMPLE["name"]],
        ),
    ]
    phone: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=40,
            description="The clinic's phone number, at most 40 characters.",
            examples=[EXAMPLE["phone"]],
        ),
    ]
    privacy_url: (
        Annotated[
            str,
            Meta(
                max_length=2048,
                description="The https URL of its privacy notice, at most 2048 characters.",
                examples=[EXAMPLE["privacyUrl"]],
            ),
        ]
        | UnsetType
    ) = UNSET
