"""Checks of packages for databases."""

from __future__ import annotations

from typing import Any

from .case import smoke


@smoke("psycopg2-binary psycopg2", "psycopg2.extensions")
def psycopg2(extensions: Any) -> None:
    assert extensions.parse_dsn("host=a port=5") == {"host": "a", "port": "5"}
    assert extensions.libpq_version() >= 100000


@smoke("psycopg-binary", "psycopg.pq", "psycopg.conninfo")
def psycopg(pq: Any, conninfo: Any) -> None:
    assert pq.__impl__ == "binary"
    assert conninfo.conninfo_to_dict("host=a port=5")["port"] in ("5", 5)


@smoke("asyncpg", "asyncpg.pgproto.pgproto")
def asyncpg(pgproto: Any) -> None:
    identity = pgproto.UUID("00000000-0000-0000-0000-00000000000a")
    assert (identity.int, identity.bytes[-1]) == (10, 10)


@smoke("sqlalchemy", "sqlalchemy")
def sqlalchemy(sa: Any) -> None:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        rows = connection.execute(sa.text("select 40 + 2 as n, 'a' as t")).mappings().all()
    engine.dispose()
    assert [dict(row) for row in rows] == [{"n": 42, "t": "a"}]


@smoke("pymongo", "bson")
def pymongo(bson: Any) -> None:
    assert bson.has_c()
    assert bson.encode({"a": 1}) == b"\x0c\0\0\0\x10a\0\1\0\0\0\0"
    assert bson.decode(b"\x0c\0\0\0\x10a\0\1\0\0\0\0") == {"a": 1}


@smoke("duckdb", "duckdb")
def duckdb(duckdb: Any) -> None:
    with duckdb.connect() as connection:
        rows = connection.execute("select count(*), sum(range) from range(1000)").fetchall()
    assert rows == [(1000, 499500)]
