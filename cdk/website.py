"""The website: CloudFront in front of the page, the API, the photos and their thumbnails."""

from __future__ import annotations

from aws_cdk import Duration, Size
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from constructs import Construct

from cdk.access import ORIGIN_HEADER
from cdk.assets import Assets
from cdk.config import Config
from cdk.functions import Functions
from cdk.permissions import STACKS
from cdk.search import Search
from cdk.storage import Storage

# The page loads everything from its own origin and has no inline code; blob: and data: are images
# that the page itself makes. The local server sends the same policy (a test compares them).
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "
)
# Photos are the shop's files: if one of them is HTML, it can run nothing here.
PHOTO_POLICY = "default-src 'none'; sandbox"
# What API Gateway hides of a request: its host, and its path before it is decoded. The viewer's own
# headers of these names are replaced (lambdas/search/viewer.py).
_VIEWER = """
function handler(event) {
  var request = event.request;
  request.headers["x-lens-host"] = { value: request.headers.host.value };
  request.headers["x-lens-path"] = { value: request.uri };
  return request;
}
"""
# Statuses that CloudFront would else keep for ten seconds.
_PASSING = (403, 500, 502, 503, 504)
_YEAR = Duration.days(365)
_NO_TIME = Duration.seconds(0)
# CloudFront compresses only what it may keep, if it is for a moment.
_A_MOMENT = Duration.seconds(1)


class Website(Construct):
    """`distribution`; without error pages, because they would replace the API's JSON."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        assets: Assets,
        functions: Functions,
        storage: Storage,
        search: Search,
        web_acl_arn: str = "",
    ) -> None:
        """`web_acl_arn` is the WAF's that is made with this stack."""
        super().__init__(scope, name)
        self._sites = config.sites
        page, photos = _bucket(storage.site), _bucket(storage.catalog)
        frames = " ".join(config.frames) or "'none'"
        # Few policies: an account may have twenty of each kind, in all of its stacks together.
        self._kept = self._cache_policy()
        of_page = self._headers("Page", f"{PAGE_POLICY}{frames}")
        of_photos = self._headers("Photos", PHOTO_POLICY)
        of_api = self._headers("Api", PHOTO_POLICY, api=True) if self._sites else of_photos
        certificate = (
            acm.Certificate.from_certificate_arn(self, "Certificate", config.certificate_arn)
            if config.certificate_arn
            else None
        )
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"Image Lens: {config.stack}",
            default_root_object="index.html",
            default_behavior=self._files(page, of_page),
            additional_behaviors={
                "/api/*": self._api(config, search, of_api),
                f"/{STACKS}*": self._files(photos, of_photos),
                "/catalog/*": self._files(photos, of_photos),
            },
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            # CloudFront's own certificate does not have this option.
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021
            if certificate
            else None,
            price_class=cloudfront.PriceClass[f"PRICE_CLASS_{config.price_class.upper()}"],
            domain_names=[config.domain] if config.domain else None,
            certificate=certificate,
            web_acl_id=web_acl_arn or config.web_acl_arn or None,
            # A page of CloudFront's own would replace the API's JSON; what is refused for a moment
            # (by API Gateway, without headers) may be asked again at once.
            error_responses=[
                cloudfront.ErrorResponse(http_status=status, ttl=_NO_TIME) for status in _PASSING
            ],
        )
        if search.keys.sent:  # the function is to know a key before CloudFront sends it
            self.distribution.node.add_dependency(search.target)
        self.address = f"https://{config.domain or self.distribution.distribution_domain_name}"
        if config.site:
            deployment.BucketDeployment(
                self,
                "Upload",
                sources=[deployment.Source.asset(str(assets.root / "frontend"))],
                destination_bucket=storage.site,
                distribution=self.distribution,
                distribution_paths=["/*"],
                # A browser asks every time whether the page has changed; the page is small.
                cache_control=[deployment.CacheControl.no_cache()],
                memory_limit=512,
                ephemeral_storage_size=Size.mebibytes(512),
                log_group=functions.log_group(self, "UploadLog"),
            )

    def _files(
        self, origin: cloudfront.IOrigin, headers: cloudfront.IResponseHeadersPolicy
    ) -> cloudfront.BehaviorOptions:
        """Objects of a bucket."""
        return cloudfront.BehaviorOptions(
            origin=origin,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            compress=True,
            cache_policy=self._kept,
            response_headers_policy=headers,
        )

    def _cache_policy(self) -> cloudfront.CachePolicy:
        """Objects are kept as long as they say: thumbnails for a year, the page not at all. What
        says nothing, as a shop's own photos, is kept for an hour."""
        return cloudfront.CachePolicy(
            self,
            "FilesCache",
            min_ttl=_A_MOMENT,
            default_ttl=Duration.hours(1),
            max_ttl=_YEAR,
            enable_accept_encoding_gzip=True,
            enable_accept_encoding_brotli=True,
        )

    def _api(
        self, config: Config, search: Search, headers: cloudfront.IResponseHeadersPolicy
    ) -> cloudfront.BehaviorOptions:
        """The API's own headers say what is cached: thumbnails for a year, JSON never."""
        return cloudfront.BehaviorOptions(
            origin=_api_origin(config, search),
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            compress=True,
            cache_policy=cloudfront.CachePolicy(
                self,
                "ApiCache",
                min_ttl=_NO_TIME,
                default_ttl=_NO_TIME,
                max_ttl=_YEAR,
                # Of what may be kept, thumbnails, the rest makes no difference. The API gets all.
                query_string_behavior=cloudfront.CacheQueryStringBehavior.allow_list("size"),
                # Replies to other sites' pages contain their origin.
                header_behavior=cloudfront.CacheHeaderBehavior.allow_list("Origin")
                if self._sites
                else cloudfront.CacheHeaderBehavior.none(),
                enable_accept_encoding_gzip=True,
                enable_accept_encoding_brotli=True,
            ),
            # The HTTP API is found by its own host name.
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            response_headers_policy=headers,
            function_associations=[
                cloudfront.FunctionAssociation(
                    function=cloudfront.Function(
                        self,
                        "Viewer",
                        code=cloudfront.FunctionCode.from_inline(_VIEWER.strip()),
                        runtime=cloudfront.FunctionRuntime.JS_2_0,
                        comment="Image Lens: tells the API its address and the path as it was sent",
                    ),
                    event_type=cloudfront.FunctionEventType.VIEWER_REQUEST,
                )
            ],
        )

    def _headers(
        self, name: str, policy: str, *, api: bool = False
    ) -> cloudfront.ResponseHeadersPolicy:
        """The API says itself what its replies may do, and which sites may read them: its own
        policy is not replaced. Objects of a bucket cannot say it."""
        return cloudfront.ResponseHeadersPolicy(
            self,
            f"{name}Headers",
            # The API has its own; API Gateway has none when it refuses.
            cors_behavior=self._cors(api=api),
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=policy, override=False
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=_YEAR, override=True
                ),
            ),
            custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[
                    cloudfront.ResponseCustomHeader(
                        # The page takes photos with a file input, which needs none of these.
                        header="Permissions-Policy",
                        value="camera=(), geolocation=(), microphone=(), payment=()",
                        override=True,
                    )
                ]
            ),
        )

    def _cors(self, *, api: bool) -> cloudfront.ResponseHeadersCorsBehavior | None:
        """Other sites' pages that contain the widget may read its files and the photos, and learn
        that the API is busy."""
        if not self._sites:
            return None
        return cloudfront.ResponseHeadersCorsBehavior(
            access_control_allow_credentials=False,
            access_control_allow_headers=["*"],
            access_control_allow_methods=["GET", "HEAD", *(["POST"] if api else [])],
            access_control_allow_origins=self._sites,
            access_control_expose_headers=["Retry-After", "X-Request-Id"] if api else None,
            origin_override=not api,
        )


def _bucket(bucket: s3.IBucket) -> cloudfront.IOrigin:
    """A private bucket, whose objects CloudFront may read."""
    return origins.S3BucketOrigin.with_origin_access_control(bucket)


def _api_origin(config: Config, search: Search) -> cloudfront.IOrigin:
    if not config.emulator:
        return origins.HttpOrigin(
            search.domain,
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
            custom_headers={ORIGIN_HEADER: search.keys.sent} if search.keys.sent else None,
        )
    host, _, port = config.emulator.removeprefix("http://").partition(":")
    return origins.HttpOrigin(
        "localhost" if host == "127.0.0.1" else host,
        http_port=int(port),
        origin_path=f"/_aws/execute-api/{search.api.api_id}/$default",
        protocol_policy=cloudfront.OriginProtocolPolicy.HTTP_ONLY,
        origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
    )
