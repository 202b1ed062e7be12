"""Access: who may ask the API: the key by which it knows CloudFront, and whom its callers are."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.aws_apigatewayv2_authorizers import (
    HttpJwtAuthorizer,
    HttpLambdaAuthorizer,
    HttpLambdaResponseType,
)
from constructs import Construct

from cdk.config import Config
from cdk.functions import Functions, FunctionSpec

# The function compares in this header (lambdas/search/origin_wall.py).
ORIGIN_HEADER = "x-lens-origin"


class OriginKeys(Construct):
    """`sent` is what CloudFront sends to the API, and `known` what the API takes: that, and while
    it is changed the one before. Empty where the API's own address answers everybody.

    The function is told before CloudFront, whose edges take minutes; so the next number of
    `origin_key` makes a new key without a request that fails.
    """

    def __init__(self, scope: Construct, name: str, *, config: Config) -> None:
        super().__init__(scope, name)
        numbers = range(max(1, config.origin_key - 1), config.origin_key + 1)
        self.known = [self._key(number) for number in numbers] if config.closed else []
        self.sent = self.known[-1] if self.known else ""

    def _key(self, number: int) -> str:
        """A reference, so the template does not have the key itself."""
        secret = secretsmanager.Secret(
            self,
            f"Key{number}",
            description="Image Lens: by which the API knows CloudFront",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                exclude_punctuation=True, password_length=40
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )
        return secret.secret_value.unsafe_unwrap()


def authorizer_of(
    scope: Construct, config: Config, functions: Functions
) -> apigateway.IHttpRouteAuthorizer | None:
    """What the API asks about each request; None where it is open to all."""
    if config.authorizer == "jwt":
        return HttpJwtAuthorizer("Tokens", config.jwt_issuer, jwt_audience=config.jwt_audiences)
    if config.authorizer == "":
        return None
    arn = config.keys_secret
    function = functions.zipped(
        FunctionSpec(
            "authorize",
            environment={"LENS_KEYS_SECRET": arn},
            policy=[
                iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[arn])
            ],
            memory=512,
            timeout=Duration.seconds(10),
        )
    )
    return HttpLambdaAuthorizer(
        "Keys",
        function,
        response_types=[HttpLambdaResponseType.SIMPLE],
        identity_source=["$request.header.Authorization"],
        results_cache_ttl=Duration.seconds(60),
    )
