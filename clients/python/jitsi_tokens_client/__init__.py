"""Asks a jitsi-tokens service for tokens and visits, in synchronous and in asynchronous code."""

from jitsi_tokens_client.appointment import Appointment
from jitsi_tokens_client.async_client import AsyncClient
from jitsi_tokens_client.client import Client
from jitsi_tokens_client.errors import (
    ConfigurationError,
    ConflictError,
    CredentialsError,
    InvalidRequestError,
    JitsiTokensError,
    NotAllowedError,
    NotFoundError,
    UnavailableError,
)
from jitsi_tokens_client.meeting import Meeting
from jitsi_tokens_client.retry import Limits
from jitsi_tokens_client.secret import Secret
from jitsi_tokens_client.visits import Visit, VisitPage

__all__ = [
    "Appointment",
    "AsyncClient",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "CredentialsError",
    "InvalidRequestError",
    "JitsiTokensError",
    "Limits",
    "Meeting",
    "NotAllowedError",
    "NotFoundError",
    "Secret",
    "UnavailableError",
    "Visit",
    "VisitPage",
]
