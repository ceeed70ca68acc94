"""AWS's list prices for us-east-1, in US dollars, without free tiers. Check before you rely on it.

`READ` is when each was read at its source.
"""

from __future__ import annotations

from typing import NamedTuple

READ = "2026-11-22"

_AWS = "https://aws.amazon.com"
_MILLION = 1_000_000


class Price(NamedTuple):
    """A price a unit, as it is written, and the page that has it."""

    dollars: float
    written: str
    source: str


class Tier(NamedTuple):
    """A price a unit up to a number of units a month."""

    up_to: float
    dollars: float


LAMBDA_REQUEST = Price(0.20 / _MILLION, "$0.20 a million", f"{_AWS}/lambda/pricing/")
LAMBDA_GB_SECOND = Price(0.0000166667, "$0.0000166667", f"{_AWS}/lambda/pricing/")
SNAPSHOT_GB_SECOND = Price(
    0.0000015046,
    "$0.0000015046",
    "https://awsnegotiations.com/blog/lambda-snapstart-cost-impact/",
)
RESTORED_GB = Price(
    0.0001397998,
    "$0.0001397998",
    "https://awsnegotiations.com/blog/lambda-snapstart-cost-impact/",
)
API_REQUEST = Price(
    3.50 / _MILLION,
    "$3.50 a million, $2.80 over 333 million, $2.38 over a billion",
    "https://docs.aws.amazon.com/whitepapers/latest/"
    "best-practices-api-gateway-private-apis-integration/cost-optimization.html",
)
API_TIERS = (
    Tier(333 * _MILLION, API_REQUEST.dollars),
    Tier(1_000 * _MILLION, 2.80 / _MILLION),
    Tier(float("inf"), 2.38 / _MILLION),
)
OUT_GB = Price(
    0.09,
    "$0.09 up to 10 TB",
    "https://wring.co/blog/aws-data-transfer-pricing-guide",
)
SECRET = Price(
    0.40,
    "$0.40",
    "https://hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms",
)
SECRET_CALL = Price(0.05 / 10_000, "$0.05 a ten thousand", SECRET.source)
DYNAMODB_READ = Price(
    0.125 / _MILLION,
    "$0.125 a million",
    "https://airbyte.com/data-engineering-resources/dynamodb-pricing",
)
KMS_KEY = Price(1.0, "$1", f"{_AWS}/kms/pricing/")
KMS_CALL = Price(0.03 / 10_000, "$0.03 a ten thousand", "https://cloudburn.io/blog/aws-kms-pricing")
LOG_GB_IN = Price(0.50, "$0.50", "https://cloudburn.io/blog/amazon-cloudwatch-pricing")
LOG_GB_MONTH = Price(0.03, "$0.03", LOG_GB_IN.source)
METRIC = Price(0.30, "$0.30", "https://signoz.io/guides/cloudwatch-pricing")
ALARM = Price(0.10, "$0.10", LOG_GB_IN.source)
DASHBOARD = Price(3.0, "$3", LOG_GB_IN.source)
TRACE = Price(5.0 / _MILLION, "$5 a million", f"{_AWS}/de/xray/pricing/")
WEB_ACL = Price(5.0, "$5", "https://c3x.dev/blog/aws-waf-cost-explained/")
WEB_ACL_RULE = Price(1.0, "$1", WEB_ACL.source)
WEB_ACL_REQUEST = Price(0.60 / _MILLION, "$0.60 a million", WEB_ACL.source)

NAMES = {
    "Lambda, a request": LAMBDA_REQUEST,
    "Lambda, a GB-second (x86)": LAMBDA_GB_SECOND,
    "SnapStart, a GB-second of cache": SNAPSHOT_GB_SECOND,
    "SnapStart, a GB restored": RESTORED_GB,
    "API Gateway, a request": API_REQUEST,
    "Data to the internet, a GB": OUT_GB,
    "Secrets Manager, a secret and month": SECRET,
    "Secrets Manager, a call": SECRET_CALL,
    "DynamoDB, a read request unit": DYNAMODB_READ,
    "KMS, a key and month": KMS_KEY,
    "KMS, a call": KMS_CALL,
    "CloudWatch Logs, a GB taken in": LOG_GB_IN,
    "CloudWatch Logs, a GB (compressed) and month": LOG_GB_MONTH,
    "CloudWatch, a metric and month": METRIC,
    "CloudWatch, an alarm and month": ALARM,
    "CloudWatch, a dashboard and month": DASHBOARD,
    "X-Ray, a trace": TRACE,
    "WAF, a web ACL and month": WEB_ACL,
    "WAF, a rule and month": WEB_ACL_RULE,
    "WAF, a request": WEB_ACL_REQUEST,
}


def tiered(units: float, tiers: tuple[Tier, ...]) -> float:
    """Return the dollars for so many units of a price that falls."""
    dollars, below = 0.0, 0.0
    for tier in tiers:
        dollars += max(0.0, min(units, tier.up_to) - below) * tier.dollars
        below = tier.up_to
    return dollars
