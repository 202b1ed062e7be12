"""Key paths: the part of an address that is a key, with slashes and, as files may, line breaks."""

from __future__ import annotations

from starlette.convertors import PathConvertor, register_url_convertor


class KeyConvertor(PathConvertor):
    """`{name:key}` in a route: Starlette's `path`, whose pattern would end at a line break."""

    regex = "(?s:.*)"


register_url_convertor("key", KeyConvertor())
