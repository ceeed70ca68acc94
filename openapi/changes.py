"""Which changes of the document break what callers rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openapi.schema_changes import broken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openapi.schema_changes import Direction

type Node = dict[str, Any]


def breaking_changes(old: Node, new: Node) -> list[str]:
    """Return a sentence for each change from one document to the next that breaks a caller."""
    return list(_changes(_resolved(old, old), _resolved(new, new)))


def _changes(old: Node, new: Node) -> Iterator[str]:
    for path, item in old["paths"].items():
        for method, operation in item.items():
            where = f"{method.upper()} {path}"
            changed = new["paths"].get(path, {}).get(method)
            if changed is None:
                yield f"{where} is gone."
                continue
            yield from _security(operation, changed, where)
            yield from _parameters(operation, changed, where)
            yield from _request(operation, changed, where)
            yield from _answers(operation, changed, where)
    schemes = new["components"].get("securitySchemes", {})
    for name, scheme in old["components"].get("securitySchemes", {}).items():
        for field in ("type", "scheme", "in", "name"):
            if scheme.get(field) != schemes.get(name, {}).get(field):
                yield f"securitySchemes/{name}: {field} changed."


def _security(old: Node, new: Node, where: str) -> Iterator[str]:
    accepted = new["security"] or [{}]
    if not all(
        any(other.keys() <= known.keys() for other in accepted) for known in old["security"] or [{}]
    ):
        yield f"{where} asks for other credentials."


def _parameters(old: Node, new: Node, where: str) -> Iterator[str]:
    olds = {(each["in"], each["name"]): each for each in old.get("parameters", [])}
    news = {(each["in"], each["name"]): each for each in new.get("parameters", [])}
    for key in olds.keys() - news.keys():
        yield f"{where}, {' '.join(key)} is gone."
    for key, parameter in news.items():
        named = f"{where}, {' '.join(key)}"
        known = olds.get(key, {"required": False})
        if parameter["required"] and not known["required"]:
            yield f"{named} is required now."
        if key in olds:
            yield from broken(known["schema"], parameter["schema"], "request", named)


def _request(old: Node, new: Node, where: str) -> Iterator[str]:
    known, body = old.get("requestBody", {}), new.get("requestBody", {})
    if body.get("required", False) and not known.get("required", False):
        yield f"{where}: a body is required now."
    yield from _contents(known, body, "request", f"{where}, request")


def _answers(old: Node, new: Node, where: str) -> Iterator[str]:
    for status, answer in old["responses"].items():
        named = f"{where}, {status}"
        changed = new["responses"].get(status)
        if changed is None:
            yield f"{named} is gone."
            continue
        yield from _contents(answer, changed, "response", named)
        for name, header in answer.get("headers", {}).items():
            other = changed.get("headers", {}).get(name)
            if other is None:
                yield f"{named}, header {name} is gone."
                continue
            if header["required"] and not other["required"]:
                yield f"{named}, header {name} may be missing now."
            yield from broken(
                header["schema"], other["schema"], "response", f"{named}, header {name}"
            )


def _contents(old: Node, new: Node, direction: Direction, where: str) -> Iterator[str]:
    olds, news = old.get("content", {}), new.get("content", {})
    for media_type in olds.keys() - news.keys():
        yield f"{where}: {media_type} is gone."
    if direction == "response":
        # Nobody says which of them they take.
        for media_type in news.keys() - olds.keys():
            yield f"{where}: {media_type} is new."
    for media_type in olds.keys() & news.keys():
        yield from broken(olds[media_type]["schema"], news[media_type]["schema"], direction, where)


def _resolved(node: Any, document: Node) -> Any:
    """Return a part of a document with what its references point to in their place."""
    match node:
        case {"$ref": str(reference), **beside}:
            target: Any = document
            for name in reference.removeprefix("#/").split("/"):
                target = target[name]
            return _resolved(target, document) | _resolved(beside, document)
        case dict():
            return {name: _resolved(value, document) for name, value in node.items()}
        case list():
            return [_resolved(value, document) for value in node]
    return node
