"""Point-in-time windows as one would write them by hand in Polars, DuckDB and Spark; run by `bench/windows.py`.

    python windows.py MODE FOLDER     prints one JSON line: seconds, and the sum of every column (they must agree)

Columns: for 7, 30 and 90 days the sum, count, mean, min and max of `amount` in [t - w, t), then the seconds since the
last event. Keys are integers here, the best these tools can be given; keepfit's are text.
"""

from __future__ import annotations

import json
import os
import sys
import time

DAYS = (7, 30, 90)
SHORT = {"sum": "s", "count": "c", "avg": "a", "min": "mn", "max": "mx"}
NAMES = [f"{short}{days}" for days in DAYS for short in SHORT.values()] + ["since"]


def polars_rolling(folder):
    """Rolling group-by over the union of events and observations, one pass for each window."""
    import polars as pl

    yield
    events, seen = pl.read_parquet(f"{folder}/events.parquet"), pl.read_parquet(f"{folder}/observations.parquet")
    union = _polars_union(pl, events, seen)
    union = union.with_columns(et=pl.when(~pl.col("seen")).then("ts").shift(1).forward_fill().over("entity"))
    columns = [union.select("entity", "ts", "seen", "et")]
    columns += [_polars_roll(pl, union, days, SHORT) for days in DAYS]
    since = ((pl.col("ts") - pl.col("et")).dt.total_microseconds() / 1e6).alias("since")
    yield pl.concat(columns, how="horizontal").filter("seen").with_columns(since)


def polars_mixed(folder):
    """Cumulative sums and as-of joins for sum, count and mean; rolling for min and max."""
    import polars as pl

    yield
    events, seen = pl.read_parquet(f"{folder}/events.parquet"), pl.read_parquet(f"{folder}/observations.parquet")
    events = events.sort("entity", "ts").with_columns(
        cs=pl.col("amount").cum_sum().over("entity"), cc=pl.int_range(1, pl.len() + 1).over("entity")
    )
    table = seen.sort("entity", "ts")
    for days in (0, *DAYS):
        upto = events.select("entity", et="ts", **{f"cs{days}": "cs", f"cc{days}": "cc"})
        before = (pl.col("ts") - pl.duration(days=days) - pl.duration(microseconds=1)).alias("before")
        table = table.with_columns(before).join_asof(
            upto, left_on="before", right_on="et", by="entity", check_sortedness=False
        )
        table = table.drop("before").rename({"et": "last"}) if days == 0 else table.drop("before", "et")
    none = lambda name: pl.col(name).fill_null(0)  # noqa: E731
    table = table.with_columns(
        *[(none("cs0") - none(f"cs{days}")).alias(f"s{days}") for days in DAYS],
        *[(none("cc0") - none(f"cc{days}")).alias(f"c{days}") for days in DAYS],
        since=(pl.col("ts") - pl.col("last")).dt.total_microseconds() / 1e6,
    ).with_columns(*[(pl.col(f"s{days}") / pl.col(f"c{days}")).fill_nan(None).alias(f"a{days}") for days in DAYS])
    union = _polars_union(pl, events.select("entity", "ts", "amount"), seen)
    extremes = [_polars_roll(pl, union, days, ("min", "max")).filter(union["seen"]) for days in DAYS]
    yield pl.concat([table, *extremes], how="horizontal")


def _polars_union(pl, events, seen):
    blank = seen.with_columns(amount=pl.lit(None, pl.Float64), seen=True).select("entity", "ts", "amount", "seen")
    return pl.concat([events.with_columns(seen=False), blank]).sort("entity", "ts")


def _polars_roll(pl, union, days, functions):
    amount = pl.col("amount")
    all_of = {
        "sum": amount.sum(),
        "count": amount.count(),
        "avg": amount.mean(),
        "min": amount.min(),
        "max": amount.max(),
    }
    wanted = [all_of[name].alias(f"{SHORT[name]}{days}") for name in functions]
    rolled = union.rolling("ts", period=f"{days}d", closed="left", group_by="entity").agg(wanted)
    return rolled.drop("entity", "ts")


def duckdb_join(folder):
    """Inequality join with the widest window, filtered aggregates; an as-of join for the last event."""
    import duckdb

    con = duckdb.connect()
    con.execute("set preserve_insertion_order=false")
    yield
    con.execute(
        f"""create table features as
        select g.*, epoch(g.ts) - epoch(l.ts) as since from (
            select o.entity, o.ts, {_filtered("day")} from '{folder}/observations.parquet' o
            left join '{folder}/events.parquet' e
            on o.entity = e.entity and e.ts < o.ts and e.ts >= o.ts - interval {max(DAYS)} day group by 1, 2) g
        asof left join (select entity, ts from '{folder}/events.parquet') l on g.entity = l.entity and g.ts > l.ts"""
    )
    yield con


def duckdb_windows(folder):
    """Range windows over the union of events and observations."""
    import duckdb

    con = duckdb.connect()
    con.execute("set preserve_insertion_order=false")
    yield
    frames = ", ".join(
        f"w{days} as (partition by entity order by ts"
        f" range between interval {days} day preceding and interval 1 microsecond preceding)"
        for days in DAYS
    )
    con.execute(
        f"""create table features as select * exclude (et, seen) from (
            select entity, ts, seen, et, {_over()}, epoch(ts) - epoch(max(et) over ever) as since from (
                select entity, ts, amount, ts as et, false as seen from '{folder}/events.parquet'
                union all select entity, ts, null, null, true from '{folder}/observations.parquet')
            window {frames}, ever as (partition by entity order by ts
                range between unbounded preceding and interval 1 microsecond preceding)) where seen"""
    )
    yield con


def duckdb_sort(folder, file="events.parquet"):
    """The bare order that everything else needs, with nothing computed."""
    import duckdb

    con = duckdb.connect()
    yield
    yield con.sql(f"select entity, ts, amount from '{folder}/{file}' order by 1, 2").to_arrow_table()


def duckdb_sort_text(folder):
    """The same events with the text keys that keepfit reads."""
    yield from duckdb_sort(folder, "unsorted.parquet")


def spark_windows(folder):
    """Range windows over the union, in Spark SQL."""
    yield from _spark(folder, _spark_windows())


def spark_join(folder):
    """Inequality join with filtered aggregates; Spark SQL has no as-of join, so the last event is left out."""
    yield from _spark(
        folder,
        f"select o.entity, o.ts, {_filtered('days')}, 0 as since from o left join e on o.entity = e.entity"
        f" and e.ts < o.ts and e.ts >= o.ts - interval {max(DAYS)} days group by 1, 2",
    )


def _spark(folder, query):
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.memory": "6g", "spark.sql.shuffle.partitions": "8", "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.sql.session.timeZone": "UTC",
    }  # fmt: skip
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    spark.read.parquet(f"{folder}/events.parquet").createOrReplaceTempView("e")
    spark.read.parquet(f"{folder}/observations.parquet").createOrReplaceTempView("o")
    yield
    sums = ", ".join(f"coalesce(sum({name}), 0)" for name in NAMES)
    yield list(spark.sql(f"select {sums} from ({query})").collect()[0])


def _spark_windows():
    frames = ", ".join(
        f"w{days} as (partition by entity order by t range between {days * 86_400_000_000} preceding and 1 preceding)"
        for days in DAYS
    )
    micros = "unix_micros(cast(ts as timestamp))"
    return f"""select * from (select entity, t, seen, {_over()}, (t - max(et) over ever) / 1e6 as since from (
        select entity, {micros} as t, {micros} as et, amount, false as seen from e
        union all select entity, {micros}, null, null, true from o)
        window {frames}, ever as (partition by entity order by t range between unbounded preceding and 1 preceding))
        where seen"""


def _filtered(unit):
    return ", ".join(
        f"{name}(amount) filter (where e.ts >= o.ts - interval {days} {unit}) as {short}{days}"
        for days in DAYS
        for name, short in SHORT.items()
    )


def _over():
    return ", ".join(f"{name}(amount) over w{days} as {short}{days}" for days in DAYS for name, short in SHORT.items())


MODES = {
    made.__name__: made
    for made in (
        polars_rolling, polars_mixed, duckdb_join, duckdb_windows, duckdb_sort, duckdb_sort_text, spark_windows, spark_join,
    )
}  # fmt: skip


def check(result):
    """Return the sum of each column; of a bare sort nothing."""
    if isinstance(result, list):
        return [float(value) for value in result]
    if hasattr(result, "execute"):
        sums = ", ".join(f"coalesce(sum({name}), 0)" for name in NAMES)
        return [float(value) for value in result.execute(f"select {sums} from features").fetchone()]
    return [float(result[name].sum()) for name in NAMES] if "since" in getattr(result, "columns", ()) else []


if __name__ == "__main__":
    mode, folder = sys.argv[1:]
    steps = MODES[mode](folder)
    next(steps)  # imports and sessions are not timed
    start, cpu = time.perf_counter(), time.process_time()
    made = next(steps)
    found = {"seconds": time.perf_counter() - start, "cpu_s": time.process_time() - cpu, "check": check(made)}
    if mode.startswith("spark"):
        del found["cpu_s"]  # Spark works in a process of its own
    print(json.dumps(found))
