"""Storage: the buckets of photos, artifacts and the page; private, encrypted, TLS only."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.config import Config
from cdk.keys import catalog_key_of, key_of
from cdk.permissions import CATALOG, LISTINGS, STACKS


class Storage(Construct):
    """Buckets: `catalog` (new or existing), `artifacts` and `site`; `thumbs` and `pictures` are the
    prefixes of thumbnails and fetched pictures in the catalog's bucket."""

    def __init__(self, scope: Construct, name: str, *, config: Config) -> None:
        super().__init__(scope, name)
        self._config = config
        self.owns_catalog = not config.catalog_bucket
        self.catalog: s3.IBucket = (
            self._bucket("Catalog", versioned=True)
            if self.owns_catalog
            else s3.Bucket.from_bucket_attributes(
                self,
                "Catalog",
                bucket_name=config.catalog_bucket,
                encryption_key=catalog_key_of(self, config),
            )
        )
        self.artifacts = self._bucket("Artifacts", versioned=True)
        # No versions: the page is in the repository.
        self.site = self._bucket("Site", versioned=False)
        self.catalog_location = f"s3://{self.catalog.bucket_name}/{CATALOG.rstrip('/')}"
        # Two stacks may share a bucket, and neither may delete the other's thumbnails.
        self.own_prefix = f"{STACKS}{config.stack}/"
        self.thumbs = f"{self.own_prefix}thumbs/"
        self.pictures = f"{self.own_prefix}pictures/"
        self.thumbs_location = f"s3://{self.catalog.bucket_name}/{self.own_prefix.rstrip('/')}"
        self.artifacts_location = f"s3://{self.artifacts.bucket_name}"

    def _bucket(self, name: str, *, versioned: bool) -> s3.Bucket:
        """No lifecycle rule expires a current object: deleting those is the work of `collect`."""
        destroy = self._config.removal == "destroy"
        key = key_of(self, self._config)
        noncurrent = Duration.days(self._config.noncurrent_days) if versioned else None
        return s3.Bucket(
            self,
            name,
            versioned=versioned,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=True if key else None,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                    noncurrent_version_expiration=noncurrent,
                    expired_object_delete_marker=versioned or None,
                ),
                *self._scratch(name),
            ],
            removal_policy=RemovalPolicy.DESTROY if destroy else RemovalPolicy.RETAIN,
            auto_delete_objects=destroy,
        )

    @staticmethod
    def _scratch(name: str) -> list[s3.LifecycleRule]:
        """Listings are made anew each hour: nobody goes back to one that was removed."""
        if name != "Artifacts":
            return []
        day = Duration.days(1)
        return [s3.LifecycleRule(prefix=LISTINGS, noncurrent_version_expiration=day)]
