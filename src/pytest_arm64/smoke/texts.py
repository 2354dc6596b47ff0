"""Checks of packages for texts: formats, patterns, distances, validation."""

from __future__ import annotations

from typing import Any

from .case import smoke

JSON, VALUE = '{"a":[1,2.5,null,"x"]}', {"a": [1, 2.5, None, "x"]}


@smoke("lxml", "lxml.etree")
def lxml(etree: Any) -> None:
    tree = etree.fromstring("<r><i n='1'/><i n='2'>two</i></r>")
    assert tree.xpath("string(//i[@n=2])") == "two"


@smoke("pyyaml", "yaml")
def pyyaml(yaml: Any) -> None:
    assert yaml.load("a: [1, 2.5, null, x]", yaml.CSafeLoader) == VALUE
    assert yaml.dump({"a": 1}, Dumper=yaml.CSafeDumper) == "a: 1\n"


@smoke("ruamel-yaml-clib", "ruamel.yaml")
def ruamel_yaml(yaml: Any) -> None:
    assert yaml.YAML(typ="safe", pure=False).load("a: [1, 2.5, null, x]") == VALUE


@smoke("markupsafe", "markupsafe", "markupsafe._speedups")
def markupsafe(markupsafe: Any, _: Any) -> None:
    assert str(markupsafe.escape("<a & 'b'>")) == "&lt;a &amp; &#39;b&#39;&gt;"


@smoke("ujson", "ujson")
def ujson(ujson: Any) -> None:
    assert (ujson.loads(JSON), ujson.dumps(VALUE)) == (VALUE, JSON)


@smoke("orjson", "orjson")
def orjson(orjson: Any) -> None:
    assert (orjson.loads(JSON), orjson.dumps(VALUE).decode()) == (VALUE, JSON)


@smoke("simplejson", "simplejson", "simplejson._speedups")
def simplejson(simplejson: Any, _: Any) -> None:
    assert (simplejson.loads(JSON), simplejson.dumps(VALUE, separators=(",", ":"))) == (VALUE, JSON)


@smoke("python-rapidjson", "rapidjson")
def rapidjson(rapidjson: Any) -> None:
    assert (rapidjson.loads(JSON), rapidjson.dumps(VALUE)) == (VALUE, JSON)


@smoke("jiter", "jiter")
def jiter(jiter: Any) -> None:
    assert jiter.from_json(JSON.encode()) == VALUE


@smoke("msgspec", "msgspec")
def msgspec(msgspec: Any) -> None:
    assert (msgspec.json.decode(JSON), msgspec.json.encode(VALUE).decode()) == (VALUE, JSON)
    assert msgspec.msgpack.encode({"a": 1}) == b"\x81\xa1a\x01"


@smoke("msgpack", "msgpack._cmsgpack")
def msgpack(msgpack: Any) -> None:
    assert msgpack.Packer().pack({"a": 1}) == b"\x81\xa1a\x01"
    assert msgpack.unpackb(b"\x81\xa1a\x01") == {"a": 1}


@smoke("cbor2", "cbor2")
def cbor2(cbor2: Any) -> None:
    assert cbor2.dumps([1, "a"]) == b"\x82\x01aa"
    assert cbor2.loads(b"\x82\x01aa") == [1, "a"]


@smoke("protobuf", "google.protobuf.struct_pb2", "google.protobuf.internal.api_implementation")
def protobuf(struct_pb2: Any, implementation: Any) -> None:
    assert implementation.Type() in ("upb", "cpp")
    message = struct_pb2.Value(number_value=1.5)
    assert message.SerializeToString() == b"\x11\0\0\0\0\0\0\xf8?"
    assert struct_pb2.Value.FromString(message.SerializeToString()) == message


@smoke("pydantic-core", "pydantic_core")
def pydantic_core(core: Any) -> None:
    schema = {"type": "list", "items_schema": {"type": "int"}}
    assert core.SchemaValidator(schema).validate_json('["1", 2]') == [1, 2]


@smoke("regex", "regex")
def regex(regex: Any) -> None:
    assert regex.findall(r"\p{Lu}\p{Ll}+", "Ärger und Öl") == ["Ärger", "Öl"]
    assert regex.search(r"(?:cats){e<=1}", "bats").group() == "bats"


@smoke("rapidfuzz", "rapidfuzz.distance.metrics_cpp")
def rapidfuzz(metrics: Any) -> None:
    assert metrics.levenshtein_distance("kitten", "sitting") == 3


@smoke("levenshtein", "Levenshtein")
def levenshtein(levenshtein: Any) -> None:
    assert levenshtein.distance("kitten", "sitting") == 3


@smoke("charset-normalizer", "charset_normalizer", "charset_normalizer.md")
def charset_normalizer(normalizer: Any, md: Any) -> None:
    assert md.__file__.endswith(".so")
    best = normalizer.from_bytes("Ein Text mit Umlauten: äöü und ß.".encode()).best()
    assert best.encoding == "utf_8"


@smoke("ciso8601", "ciso8601")
def ciso8601(ciso8601: Any) -> None:
    assert ciso8601.parse_datetime("2026-11-30T12:34:56Z").timestamp() == 1796042096


@smoke("rpds-py", "rpds")
def rpds(rpds: Any) -> None:
    first = rpds.HashTrieMap({"a": 1})
    second = first.insert("b", 2)
    assert (len(first), dict(second.items())) == (1, {"a": 1, "b": 2})


@smoke("tree-sitter", "tree_sitter")
def tree_sitter(tree_sitter: Any) -> None:
    point = tree_sitter.Point(1, 2)
    assert (point.row, point.column) == (1, 2)
    assert tree_sitter.Parser().language is None


@smoke("fonttools", "fontTools.misc.bezierTools")
def fonttools(bezier: Any) -> None:
    assert bezier.COMPILED
    bounds = bezier.calcCubicBounds((0, 0), (0, 100), (100, 100), (100, 0))
    assert bounds == (0, 0, 100, 75)
