"""What could be sent to a route, made from the hub's own description of it (OpenAPI): valid where it matters.

Identifiers are filled with what a town really has; other values by the name of the field, or by its type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

WORDS: Mapping[str, Any] = {
    "starts": "2026-08-03T10:00",
    "ends": "2026-08-03T11:00",
    "starts_at": "2026-08-03T10:00:00+09:00",
    "ends_at": "2026-08-03T11:00:00+09:00",
    "expires_at": "2026-08-03T11:00:00+09:00",
    "first": "2026-06-01",
    "last": "2026-06-28",
    "day": "2026-06-01",
    "timezone": "Asia/Tokyo",
    "zone": "Asia/Tokyo",
    "mail": "somebody@example.org",
    "url": "https://calendar.example/a.ics",
    "actions": ["read_people"],
    "mode": "hybrid",
    "country": "JP",
    "rule": "FREQ=WEEKLY;COUNT=2",
    "clock": "18:30",
    "name": "なまえ",
    "title": "だいめい",
    "code": "x" * 20,
    "scope": "one",
    "week": [[]] * 7,
}
"""By the name of a field, where its type alone would not do."""

ALWAYS = {"rule"}
"""Fields that may be left out, without which nothing comes of a request."""

ALIAS = {
    "referrer_id": "person_id",
    "room_id": "room_id",
    "part_of": "part_of",
    "first_place_id": "place_id",
    "far_place_id": "place_id",
    "home_id": "municipality_id",
}
"""Fields that name a thing by another word than its own."""


@dataclass(frozen=True)
class Sent:
    query: dict[str, Any]
    json: Any


class Bodies:
    def __init__(self, document: dict[str, Any]) -> None:
        self._paths = document["paths"]
        self._schemas = document.get("components", {}).get("schemas", {})

    def of(self, method: str, path: str, ids: Mapping[str, str], only: str = "") -> Sent:
        """`only`: of the fields that may be left out, those that name this thing are there too."""
        operation = self._operation(method, path)
        query = {
            one["name"]: self._value(one["schema"], one["name"], ids, only)
            for one in operation.get("parameters", [])
            if one["in"] == "query" and (one.get("required") or (only and thing(one["name"]) == only))
        }
        schema = self._body(operation)
        return Sent(query, {} if schema is None else self._value(schema, "", ids, only))

    def takes(self, method: str, path: str) -> bool:
        """Whether something is to be sent along."""
        return "requestBody" in self._operation(method, path)

    def identifiers(self, method: str, path: str) -> list[str]:
        """Things that may be named in the query or the body."""
        operation = self._operation(method, path)
        found = {thing(one["name"]) for one in operation.get("parameters", []) if one["in"] == "query"}
        schema = self._body(operation)
        if schema is not None:
            found |= set(self._named(schema, 0))
        return sorted(found - {""})

    def _operation(self, method: str, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self._paths.get(path, {}).get(method.lower(), {})
        return found

    def _body(self, operation: dict[str, Any]) -> dict[str, Any] | None:
        content = operation.get("requestBody", {}).get("content", {})
        found: dict[str, Any] | None = content.get("application/json", {}).get("schema")
        return found

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while True:
            if "$ref" in schema:
                schema = self._schemas[schema["$ref"].rpartition("/")[2]]
            elif "anyOf" in schema or "oneOf" in schema:
                schema = next(one for one in schema.get("anyOf", schema.get("oneOf")) if one.get("type") != "null")
            elif "allOf" in schema:
                schema = schema["allOf"][0]
            else:
                return schema

    def _named(self, schema: dict[str, Any], depth: int) -> Iterator[str]:
        schema = self._resolved(schema)
        if depth > 6:
            return
        for name, inner in schema.get("properties", {}).items():
            yield thing(name)
            yield from self._named(inner, depth + 1)
        if "items" in schema:
            yield from self._named(schema["items"], depth + 1)

    def _value(self, schema: dict[str, Any], name: str, ids: Mapping[str, str], only: str) -> Any:
        schema = self._resolved(schema)
        if schema.get("type") == "array":
            return self._array(schema, name, ids, only)
        if thing(name):
            return ids.get(thing(name), "x")
        if name in WORDS:
            return WORDS[name]
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        if "properties" in schema:
            return {
                field: self._value(inner, field, ids, only)
                for field, inner in schema["properties"].items()
                if field in {*schema.get("required", ()), *ALWAYS}
                or (only and only in {thing(field), *self._named(inner, 0)})
            }
        return _plain(schema)

    def _array(self, schema: dict[str, Any], name: str, ids: Mapping[str, str], only: str) -> Any:
        if name in WORDS:
            return WORDS[name]
        if "prefixItems" in schema:
            return [self._value(one, name, ids, only) for one in schema["prefixItems"]]
        one = self._value(schema.get("items", {}), name.removesuffix("s"), ids, only)
        return [one] * max(1, schema.get("minItems", 1))


def thing(field: str) -> str:
    """What a field names, or nothing: `place_ids` and `place_id` name a place."""
    field = field.removesuffix("s") if field.endswith("_ids") else field
    return ALIAS.get(field, field if field.endswith("_id") else "")


def _plain(schema: dict[str, Any]) -> Any:
    if schema.get("format") == "date":
        return "2026-06-01"
    if schema.get("format") == "date-time":
        return "2026-06-01T10:00:00+09:00"
    plain: dict[str, Any] = {
        "string": "x" * max(1, schema.get("minLength", 1)),
        "integer": max(1, int(schema.get("minimum", 1))),
        "number": max(1.0, float(schema.get("minimum", 1.0))),
        "boolean": False,
        "object": {},
    }
    return plain.get(schema.get("type", ""))
