"""Where objects are kept: one interface over a local folder and an S3 bucket."""

from lens.storage.contract import ObjectInfo, Storage, write_once
from lens.storage.folder import FileStorage
from lens.storage.locations import key_prefix, open_storage

__all__ = ["FileStorage", "ObjectInfo", "Storage", "key_prefix", "open_storage", "write_once"]
