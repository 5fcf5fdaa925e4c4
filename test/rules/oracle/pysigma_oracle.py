"""pySigma's SQLite backend as a second opinion on which rule hits which event.

In (standard input, JSON lines): first {"lists": {name: [values]}}, then any number of {"rule": N, "yaml": TEXT}; then
for each log source {"source": NAME, "fields": [names], "rules": [N]} followed by its events as {"event": N, "values": [...]
in the order of the fields, null for absent, "text": all texts of the event, a line each}.

Out: {"rule": N, "error": TEXT} for a rule that cannot be converted, {"source": NAME, "rule": N, "hits": [event numbers]} for
the others, {"source": NAME, "rule": N, "error": TEXT} where SQLite refuses the query. Needs pysigma and
pysigma-backend-sqlite; exit status 3 without them.
"""

import json
import re
import sqlite3
import sys
from functools import lru_cache

try:
    from sigma.backends.sqlite import sqliteBackend
    from sigma.collection import SigmaCollection
    from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
    from sigma.processing.transformations import ValueListPlaceholderTransformation
except ImportError as error:
    print(f"pySigma is absent: {error}. Try: pip install pysigma pysigma-backend-sqlite", file=sys.stderr)
    sys.exit(3)

# As Zircolite's columns, but each value keeps its type: a number is compared as one.
COLUMN = "COLLATE NOCASE"
TEXT = "all_texts"


@lru_cache(maxsize=None)
def compiled(expression):
    return re.compile(expression)


def regexp(expression, value):
    return value is not None and compiled(expression).search(str(value)) is not None


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


class Oracle:
    def __init__(self, lists):
        pipeline = ProcessingPipeline(
            items=[ProcessingItem(ValueListPlaceholderTransformation())],
            vars=lists,
        )
        self.backend = sqliteBackend(processing_pipeline=pipeline, fulltext_field=TEXT)
        self.queries = {}

    def convert(self, number, yaml):
        try:
            self.queries[number] = self.backend.convert(SigmaCollection.from_yaml(yaml))
        except Exception as error:  # whatever pySigma raises says why the rule is left out
            say({"rule": number, "error": f"{type(error).__name__}: {error}"})

    def run(self, source, events):
        database = sqlite3.connect(":memory:")
        database.create_function("REGEXP", 2, regexp, deterministic=True)
        # Names of columns fold in SQLite; the first spelling of a name stays.
        columns, places = [], []
        seen = set()
        for place, name in enumerate(source["fields"]):
            if name.lower() not in seen:
                seen.add(name.lower())
                columns.append(name)
                places.append(place)
        declared = "".join(f", {quoted(name)} {COLUMN}" for name in columns)
        database.execute(f"CREATE TABLE logs (number INTEGER, {TEXT} TEXT{declared})")
        marks = ",".join("?" * (len(columns) + 2))
        rows = ([event["event"], event["text"], *(event["values"][place] for place in places)] for event in events)
        database.executemany(f"INSERT INTO logs VALUES ({marks})", rows)
        for rule in source["rules"]:
            hits = set()
            try:
                for query in self.queries.get(rule, []):
                    found = database.execute(query.replace("SELECT *", "SELECT number", 1))
                    hits.update(number for (number,) in found)
            except (sqlite3.Error, re.error) as error:
                say({"source": source["source"], "rule": rule, "error": f"{type(error).__name__}: {error}"})
                continue
            if rule in self.queries:
                say({"source": source["source"], "rule": rule, "hits": sorted(hits)})
        database.close()


def say(answer):
    print(json.dumps(answer))


def main():
    lines = (json.loads(line) for line in sys.stdin)
    oracle = Oracle(next(lines)["lists"])
    source, events = None, []
    for line in lines:
        if "rule" in line:
            oracle.convert(line["rule"], line["yaml"])
        elif "source" in line:
            if source is not None:
                oracle.run(source, events)
            source, events = line, []
        else:
            events.append(line)
    if source is not None:
        oracle.run(source, events)


main()
