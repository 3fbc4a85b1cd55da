"""Throw-away engines for the tests: a PostgreSQL server, local Spark, and how to fill them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa

KINDS = ("duckdb", "postgres", "pyspark")
USER, PASSWORD = "cx", "s3cret-@/:%+ä"


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL server of one user and one database."""

    port: int
    host: str = "127.0.0.1"
    user: str = USER
    password: str = PASSWORD
    database: str = "postgres"

    def connect(self) -> Any:
        """Return a new connection."""
        return ibis.postgres.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            database=self.database,
        )

    def execute(self, *statements: str) -> None:
        """Run some SQL."""
        con = self.connect()
        try:
            with con.begin() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        finally:
            con.disconnect()


def find_postgres() -> Path | None:
    """Find the folder of the newest server binaries; Debian keeps them off the path."""
    found = shutil.which("initdb")
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    by_version = sorted(installed, key=lambda path: float(path.parent.parent.name))
    newest = by_version[-1] if by_version else Path(found) if found else None
    return newest.resolve().parent if newest else None


@contextmanager
def run_postgres(binaries: Path) -> Iterator[Server]:
    """Run a server in a folder of its own, with a local zone and a collation that are not ours."""
    folder = Path(tempfile.mkdtemp(prefix="cxlib-postgres-"))
    data, secret = folder / "data", folder / "password"
    secret.write_text(PASSWORD, encoding="utf-8")
    user = "postgres" if _exists("postgres") else "nobody"
    as_user: dict[str, Any] = {"user": user} if os.geteuid() == 0 else {}  # it refuses root
    if as_user:
        for path in (folder, secret):
            shutil.chown(path, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = f"-p {port} -h 127.0.0.1 -k {folder} -F -c timezone=Asia/Seoul"

    def call(program: str, *arguments: str) -> None:
        """Run one of the server's programs."""
        subprocess.run(
            [str(binaries / program), "-D", str(data), *arguments],
            check=True,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            **as_user,
        )

    try:
        call(
            "initdb",
            *("-U", USER, "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8"),
            *("--locale=C.UTF-8", "--no-sync"),
        )
        call("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
        try:
            yield Server(port)
        finally:
            call("pg_ctl", "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _exists(user: str) -> bool:
    import pwd

    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


@contextmanager
def run_spark() -> Iterator[Any]:
    """Run Spark in one thread, without pages, on loopback, in a folder of its own."""
    from pyspark.sql import SparkSession

    folder = tempfile.mkdtemp(prefix="cxlib-spark-")
    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "1g")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.warehouse.dir", f"{folder}/warehouse")
        .config("spark.local.dir", folder)
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    try:
        yield session
    finally:
        session.stop()
        shutil.rmtree(folder, ignore_errors=True)


def load_frame(con: Any, frame: pd.DataFrame, name: str = "") -> Any:
    """Store a frame in an engine of any kind; stamps without a zone are UTC.

    Text comes as string, whole numbers as int64, stamps as microseconds. Without a name the table
    gets one of its own. A table of that name is replaced.
    """
    name = name or f"t_{uuid.uuid4().hex[:12]}"
    table = pa.Table.from_pandas(frame, preserve_index=False)
    fields = [
        pa.field(f.name, _plain(f.type), metadata=None) for f in table.schema.remove_metadata()
    ]
    table = table.cast(pa.schema(fields))
    if con.name == "pyspark":
        con.drop_table(name, force=True)
        return con.create_table(name, table)
    return con.create_table(name, table, overwrite=True)


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_null(kind) or pa.types.is_large_string(kind):
        return pa.string()
    return pa.timestamp("us", kind.tz) if pa.types.is_timestamp(kind) else kind
