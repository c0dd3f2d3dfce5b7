"""What an expression of PromQL is made of: its selectors, its labels, and the parts that must have a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import promql_parser as promql

COMPARISONS = {"==", "!=", ">", "<", ">=", "<="}
SETS = {"and", "or", "unless"}


def visit(expression: promql.Expr) -> list[promql.Expr]:
    """The expression and everything in it."""
    nodes: list[promql.Expr] = []
    promql.walk(expression, lambda node: nodes.append(node))
    return nodes


def selectors(expression: promql.Expr) -> Iterator[promql.VectorSelector]:
    for node in visit(expression):
        if isinstance(node, promql.VectorSelector):
            yield node
        elif isinstance(node, promql.MatrixSelector):
            yield node.vector_selector


def name_of(selector: promql.VectorSelector) -> str:
    """The metric of a selector. One by labels alone would take whatever has them."""
    if not selector.name:
        raise ValueError(f"name the metric of {selector.prettify()}")
    return selector.name


def used_labels(expression: promql.Expr) -> Iterator[tuple[str, str]]:
    """Each metric, with each label that the expression expects of it."""
    for selector in selectors(expression):
        for matcher in selector.matchers.matchers:
            yield name_of(selector), matcher.name
    for node in visit(expression):
        if isinstance(node, promql.AggregateExpr) and node.modifier:
            yield from ((name, label) for name in _contributors(node.expr) for label in node.modifier.labels)
        elif isinstance(node, promql.BinaryExpr) and node.modifier and node.modifier.matching:
            names = {name_of(selector) for selector in selectors(node)}
            yield from ((name, label) for name in names for label in node.modifier.matching.labels)


def _contributors(node: promql.Expr) -> set[str]:
    """The metrics whose labels reach the result: not those that `and` and `unless` only compare with."""
    match node:
        case promql.BinaryExpr() if str(node.op) in {"and", "unless"}:
            return _contributors(node.lhs)
        case promql.BinaryExpr():
            return _contributors(node.lhs) | _contributors(node.rhs)
        case promql.AggregateExpr() | promql.ParenExpr() | promql.UnaryExpr():
            return _contributors(node.expr)
    return {name_of(selector) for selector in selectors(node)}


def given_labels(expression: promql.Expr, labels_of: Callable[[str], set[str]]) -> set[str]:
    """The labels of the result. `labels_of` knows those of each metric."""
    match expression:
        case promql.VectorSelector():
            return labels_of(name_of(expression))
        case promql.MatrixSelector():
            return labels_of(name_of(expression.vector_selector))
        case promql.AggregateExpr() if str(expression.op) == "topk":
            return given_labels(expression.expr, labels_of)
        case promql.AggregateExpr():
            return set(expression.modifier.labels) if expression.modifier else set()
        case promql.ParenExpr() | promql.UnaryExpr():
            return given_labels(expression.expr, labels_of)
        case promql.BinaryExpr() if str(expression.op) == "or":
            return given_labels(expression.lhs, labels_of) & given_labels(expression.rhs, labels_of)
        case promql.BinaryExpr():
            return given_labels(expression.lhs, labels_of)
        case promql.Call():
            given = set().union(*(given_labels(argument, labels_of) for argument in expression.args))
            return given - {"le"} if expression.func.name == "histogram_quantile" else given
    return set()


def without_comparison(text: str, number: int | None = None) -> str:
    """The expression without its comparisons, or without the one of this number."""
    seen = 0

    def replace(node: promql.Expr) -> promql.Expr | None:
        nonlocal seen
        if not isinstance(node, promql.BinaryExpr) or str(node.op) not in COMPARISONS:
            return None
        seen += 1
        return node.lhs if number in (None, seen) else None

    return promql.transform(promql.parse(text), None, replace).prettify()


def comparisons(text: str) -> int:
    """How many comparisons the expression has."""
    return sum(
        isinstance(node, promql.BinaryExpr) and str(node.op) in COMPARISONS for node in visit(promql.parse(text))
    )


def parts(text: str) -> list[str]:
    """What has a value in a server that runs, whether the expression as a whole has one or not: the expression without
    comparisons and offsets, cut where sets are joined."""
    bare = re.sub(r"\s+offset\s+-?[\dsmhdwy]+", "", without_comparison(text))
    return list(dict.fromkeys(_cut(promql.parse(bare))))


def _cut(node: promql.Expr) -> Iterator[str]:
    if isinstance(node, promql.ParenExpr):
        yield from _cut(node.expr)
    elif isinstance(node, promql.BinaryExpr) and str(node.op) in SETS:
        yield from _cut(node.lhs)
        yield from _cut(node.rhs)
    elif isinstance(node, promql.Call) and node.func.name == "absent":
        yield from _cut(node.args[0])
    elif isinstance(node, promql.AggregateExpr) and _joins_sets(node.expr):
        yield from _cut(node.expr)
    elif _joins_sets(node):
        raise ValueError(f"cut this by hand: {node.prettify()}")
    else:
        yield node.prettify()


def _joins_sets(expression: promql.Expr) -> bool:
    return any(isinstance(node, promql.BinaryExpr) and str(node.op) in SETS for node in visit(expression))
