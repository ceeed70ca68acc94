"""Asks a jitsi-tokens service for meeting tokens, in synchronous and in asynchronous code."""

from jitsi_tokens_client.appointment import Appointment
from jitsi_tokens_client.async_client import AsyncClient
from jitsi_tokens_client.client import Client
from jitsi_tokens_client.errors import (
    ConfigurationError,
    CredentialsError,
    InvalidRequestError,
    JitsiTokensError,
    NotAllowedError,
    UnavailableError,
)
from jitsi_tokens_client.meeting import Meeting
from jitsi_tokens_client.retry import Limits
from jitsi_tokens_client.secret import Secret

__all__ = [
    "Appointment",
    "AsyncClient",
    "Client",
    "ConfigurationError",
    "CredentialsError",
    "InvalidRequestError",
    "JitsiTokensError",
    "Limits",
    "Meeting",
    "NotAllowedError",
    "Secret",
    "UnavailableError",
]
