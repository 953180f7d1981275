"""`python -m tests.benchmarks.structure`: how the product code is built, as counts read from the source with `ast`.

Files: `.py` files of the product, tests and migrations aside. A file without a statement besides its docstring is
not counted among the files, but it is a module that can be imported. Lines are those of the files.
Imports: an arrow leads from a module to each module of ours that it names, at the top or inside a function. What is
imported under TYPE_CHECKING counts only in the rows "with typing". An arrow to a package is one to its `__init__`;
for the longest chain it leads to the module that the name comes from, past packages that only hand it on.
These are counts, not times: they are the same on every machine.
"""

from __future__ import annotations

import argparse
import ast
import io
import statistics
import subprocess
import tokenize
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
NOT_PRODUCT = {"tests", "migrations", "docs", "var"}
LONG = 40  # lines of a function
SIMULATOR = "simulator"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass
class Module:
    """One file of the product."""

    name: str
    path: Path
    is_package: bool
    text: str
    tree: ast.Module
    imports: set[str] = field(default_factory=set)
    typing_imports: set[str] = field(default_factory=set)
    unwrapped_imports: set[str] = field(default_factory=set)

    @property
    def has_code(self) -> bool:
        return any(not _is_text(node) for node in self.tree.body)

    @property
    def part(self) -> str:
        parts = self.name.split(".")
        return SIMULATOR if SIMULATOR in parts[1:-1] or parts[-1] == SIMULATOR else parts[0]

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    @property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        return [node for node in ast.walk(self.tree) if isinstance(node, FUNCTIONS)]

    @property
    def classes(self) -> int:
        return sum(isinstance(node, ast.ClassDef) for node in ast.walk(self.tree))

    @property
    def comments(self) -> int:
        """Lines that are nothing but a comment."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        found = [token for token in tokens if token.type == tokenize.COMMENT]
        return sum(token.line.strip().startswith("#") for token in found)


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def read_tree(root: Path) -> dict[str, Module]:
    """Every module of the packages below `root`, by its dotted name, with its imports resolved."""
    modules: dict[str, Module] = {}
    for path in sorted(_product_files(root)):
        parts = path.relative_to(root).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        text = path.read_text(encoding="utf-8")
        modules[name] = Module(name, path.relative_to(root), is_package, text, ast.parse(text))
    for module in modules.values():
        _resolve(module, modules)
    for module in modules.values():
        module.unwrapped_imports = {
            target for name, wanted in _named(module) for target in _unwrapped(name, wanted, modules)
        } - {module.name}
    return modules


def _product_files(root: Path) -> Iterator[Path]:
    for folder in root.iterdir():
        if folder.name in NOT_PRODUCT or folder.name.startswith(".") or not folder.is_dir():
            continue
        for path in folder.rglob("*.py"):
            if not NOT_PRODUCT & set(path.relative_to(root).parts):
                yield path


def _typing_only(tree: ast.Module) -> set[ast.AST]:
    """The statements below `if TYPE_CHECKING`."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            found |= {inner for statement in node.body for inner in ast.walk(statement)}
    return found


def _targets(module: Module, node: ast.AST) -> list[tuple[str, str | None]]:
    """(module, name taken from it) of an import statement; None where a whole module is imported."""
    if isinstance(node, ast.Import):
        return [(alias.name, None) for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        parts = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
        base = ".".join([*parts[: len(parts) - node.level + 1], *([base] if base else [])])
    return [(base, alias.name) for alias in node.names]


def _named(module: Module) -> list[tuple[str, str | None]]:
    typing_only = _typing_only(module.tree)
    nodes = [node for node in ast.walk(module.tree) if node not in typing_only]
    return [target for node in nodes for target in _targets(module, node)]


def _resolve(module: Module, modules: dict[str, Module]) -> None:
    typing_only = _typing_only(module.tree)
    for node in ast.walk(module.tree):
        found = module.typing_imports if node in typing_only else module.imports
        for base, name in _targets(module, node):
            whole = f"{base}.{name}"
            found |= {whole if whole in modules else base} & modules.keys()
    module.imports.discard(module.name)
    module.typing_imports.discard(module.name)


def _unwrapped(base: str, name: str | None, modules: dict[str, Module]) -> set[str]:
    """The module that defines the name, past packages that only hand it on."""
    if f"{base}.{name}" in modules:
        return {f"{base}.{name}"}
    if base not in modules:
        return set()
    package = modules[base]
    if package.is_package and name is not None:
        for node in package.tree.body:
            if isinstance(node, ast.ImportFrom) and any(
                (alias.asname or alias.name) == name for alias in node.names
            ):
                original = next(alias.name for alias in node.names if (alias.asname or alias.name) == name)
                inner = _targets(package, node)[0][0]
                return _unwrapped(inner, original, modules) or {base}
    return {base}


# Graphs


def cycles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """The strongly connected groups of more than one module (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in sorted(arrows[name]):
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            place = stack.index(name)
            group = stack[place:]
            del stack[place:]
            found.append(sorted(group))

    for name in sorted(arrows):
        if name not in index:
            visit(name)
    return [group for group in found if len(group) > 1]


def longest_chain(arrows: dict[str, set[str]]) -> list[str]:
    """The longest way down; modules of one cycle are one step, named by the first of them."""
    home = {name: name for name in arrows} | {name: group[0] for group in cycles(arrows) for name in group}
    down: dict[str, set[str]] = defaultdict(set)
    for name, targets in arrows.items():
        down[home[name]] |= {home[target] for target in targets} - {home[name]}
    best: dict[str, list[str]] = {}

    def chain(name: str) -> list[str]:
        if name not in best:
            longest = max((chain(target) for target in sorted(down[name])), key=len, default=[])
            best[name] = [name, *longest]
        return best[name]

    return max((chain(name) for name in sorted(set(home.values()))), key=len, default=[])


def _clamp(arrows: dict[str, set[str]], names: Iterable[str]) -> dict[str, set[str]]:
    kept = set(names)
    return {name: arrows[name] & kept for name in arrows if name in kept}


# Tables


def _quantiles(numbers: Sequence[int]) -> str:
    if not numbers:
        return "–"
    ordered = sorted(numbers)
    p90 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.9))]
    return f"{statistics.median(ordered):g} / {p90} / {ordered[-1]}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def _folders(modules: Iterable[Module]) -> list[tuple[int, str]]:
    counts = Counter(str(module.path.parent) for module in modules if module.has_code)
    return sorted(((count, folder) for folder, count in counts.items()), reverse=True)


def _function_lines(modules: Iterable[Module]) -> list[int]:
    found = [node for module in modules for node in module.functions]
    return [(node.end_lineno or node.lineno) - node.lineno + 1 for node in found]


def _documented(modules: Iterable[Module]) -> int:
    return sum(ast.get_docstring(node) is not None for module in modules for node in module.functions)


def _importers(arrows: dict[str, set[str]]) -> Counter[str]:
    return Counter(target for targets in arrows.values() for target in targets)


def rows_of(modules: dict[str, Module], names: set[str]) -> list[tuple[str, str]]:
    """The measurements of these modules; imports are those that have both ends among them."""
    chosen = [modules[name] for name in sorted(names)]
    filled = [module for module in chosen if module.has_code]
    lines = sum(module.lines for module in filled)
    functions = _function_lines(filled)
    long = sum(length > LONG for length in functions)
    arrows = {module.name: module.imports for module in chosen}
    unwrapped = _clamp({module.name: module.unwrapped_imports for module in chosen}, names)
    typed = {module.name: module.imports | module.typing_imports for module in chosen}
    inner = _clamp(arrows, names)
    everywhere = _importers({module.name: module.imports for module in modules.values()})
    fan_in = max((everywhere[name], name) for name in names)
    fan_out = max((len(arrows[name]), name) for name in names)
    lonely = sum(everywhere[name] == 1 for name in names)
    folders = " ".join(str(count) for count, _ in _folders(chosen)[:5])
    return [
        ("files that are not empty", f"{sum(bool(module.text.strip()) for module in chosen)}"),
        ("files with code", f"{len(filled)}"),
        ("lines", f"{lines:,}"),
        ("file: median / p90 / max", _quantiles([module.lines for module in filled])),
        ("functions", f"{len(functions):,}"),
        ("lines of code for each function", f"{lines / max(len(functions), 1):.1f}"),
        ("function: median / p90 / max", _quantiles(functions)),
        (f"functions over {LONG} lines", f"{long} ({_share(long, len(functions))})"),
        ("classes", f"{sum(module.classes for module in filled)}"),
        ("functions with a docstring", _share(_documented(filled), len(functions))),
        ("comment lines", _share(sum(module.comments for module in filled), lines)),
        ("modules in the biggest folders", folders),
        ("modules", f"{len(chosen)}"),
        ("import arrows", f"{sum(map(len, inner.values())):,}"),
        ("… with typing", f"{sum(map(len, _clamp(typed, names).values())):,}"),
        ("fan-in: max", f"{fan_in[0]}"),
        ("fan-out: max", f"{fan_out[0]}"),
        ("longest chain (modules)", f"{len(longest_chain(unwrapped))}"),
        ("… counting packages that hand on", f"{len(longest_chain(inner))}"),
        ("import cycles at run time (files)", _cycle_text(cycles(inner))),
        ("import cycles with typing (files)", _cycle_text(cycles(_clamp(typed, names)))),
        ("modules with one importer", f"{lonely} ({_share(lonely, len(chosen))})"),
    ]


def _cycle_text(found: list[list[str]]) -> str:
    return " + ".join(str(len(group)) for group in sorted(found, key=len, reverse=True)) or "0"


def print_table(root: Path) -> None:
    modules = read_tree(root)
    parts = sorted({module.part for module in modules.values()})
    columns: list[tuple[str, Callable[[Module], bool]]] = [("all", lambda module: True)]
    columns += [(part, lambda module, part=part: module.part == part) for part in parts]  # type: ignore[misc]
    tables = [
        rows_of(modules, {name for name, module in modules.items() if chosen(module)})
        for _, chosen in columns
    ]
    cells = [["", *(title for title, _ in columns)]]
    cells += [[row[0][0], *(value for _, value in row)] for row in zip(*tables, strict=True)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
    for row in cells:
        print("  " + "  ".join(_cell(place, cell, widths[place]) for place, cell in enumerate(row)).rstrip())
    _print_more(modules)


def _cell(place: int, cell: str, width: int) -> str:
    return cell.rjust(width) if place else cell.ljust(width)


def _print_more(modules: dict[str, Module]) -> None:
    arrows = {name: module.imports for name, module in modules.items()}
    importers = _importers(arrows)
    print(
        "\nBiggest folders: "
        + ", ".join(f"{folder} {count}" for count, folder in _folders(modules.values())[:8])
    )
    print("Most imported: " + ", ".join(f"{name} {count}" for name, count in importers.most_common(5)))
    most = sorted(arrows, key=lambda name: -len(arrows[name]))[:5]
    print("Importing most: " + ", ".join(f"{name} {len(arrows[name])}" for name in most))
    unwrapped = {name: module.unwrapped_imports for name, module in modules.items()}
    print("Longest chain: " + " → ".join(longest_chain(unwrapped)))
    for group in cycles(arrows):
        print("Cycle: " + ", ".join(group))
    longest = sorted(
        (-((node.end_lineno or 0) - node.lineno + 1), module.name, node.name)
        for module in modules.values()
        for node in module.functions
    )[:5]
    print(
        "Longest functions: "
        + ", ".join(f"{name}.{function} {-length}" for length, name, function in longest)
    )
    files = sorted(modules.values(), key=lambda module: -module.lines)[:5]
    print("Longest files: " + ", ".join(f"{module.path} {module.lines}" for module in files))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "root", nargs="?", type=Path, default=ROOT, help="the tree to measure; default this one"
    )
    root = parser.parse_args().root.resolve()
    asked = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    print(f"\nStructure of the product code  [{found.stdout.strip() or root.name}]")
    print_table(root)


if __name__ == "__main__":
    main()
