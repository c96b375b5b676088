"""A module imports only from lower layers, and writing never loads torch."""

import ast
import sys
from pathlib import Path

import pytest
import tiny

import handwriter

PACKAGE = Path(handwriter.__file__).parent

# The module, or package, and the layer that it is in; two on one layer do not know each other.
LAYERS = {
    "errors": 0,
    "ink": 1,
    "alphabet": 1,
    "hyphenation": 1,
    "tokens": 1,
    "levelling": 2,
    "density": 2,
    "page": 2,
    "paper": 3,
    "posture": 3,
    "words": 4,
    "compose": 7,
    "weights": 1,
    "edits": 1,
    "ctc": 1,
    "steps": 2,
    "pen": 3,
    "pieces": 2,
    "letters": 2,
    "marks": 2,
    "spelling": 2,
    "features": 2,
    "misshapen": 3,
    "drawing": 2,
    "traits": 2,
    "picture": 2,
    "histograms": 2,
    "drafts": 4,
    "joining": 5,
    "hand": 6,
    "reader": 3,
    "likeness": 3,
    "interchange": 3,
    "explain": 7,
    "transcript": 4,
    "author": 7,
    "styles": 7,
    "output": 4,
    "training": 6,
    "evaluation": 8,
    "characters": 8,
    "studio": 9,
    "cli": 10,
    "vpype_plugin": 11,
    "__main__": 11,
}
# Within training, output and cli, where the order is their own.
WITHIN = {
    "training": {
        "network": 0, "recogniser": 0, "rounding": 0, "lines": 0, "iam": 0, "checkpoint": 0,
        "machine": 0, "practice_texts": 2, "practice_looks": 0, "turing": 1, "unipen_files": 0,
        "unipen_ink": 1, "unipen": 2, "graph": 0, "export_reader": 1,
        "typecase": 1, "typeset": 3, "recipe": 1, "sampling": 2, "show": 3, "prepare": 4,
        "batches": 2, "optimizer": 2, "sample": 3, "train": 3,
        "steps_graph": 4, "writing": 4, "reading": 4, "journal": 4, "tasks": 5, "export": 6,
        "revive": 7,
        "session": 8,
    },
    "output": {
        "layout": 0, "plotter": 0, "glyphless": 0, "jsonl": 1, "inkml": 1, "iam_xml": 1,
        "hpgl": 1, "profile": 1, "gcode": 2, "ribbon": 1, "timing": 1, "svg": 2, "png": 2, "pdf": 3,
        "film": 3, "": 4,
    },
    "cli": {
        "options": 0, "printing": 0, "texts": 0, "outputs": 0, "config": 0, "plotting": 0,
        "writing": 1, "pages": 1, "reading": 1, "learning": 1, "comparing": 1,
        "evaluating": 2, "": 3,
    },
}  # fmt: skip
WRITING = {
    "steps",
    "pen",
    "hand",
    "reader",
    "evaluation",
    "characters",
    "transcript",
    "explain",
    "output",
    "studio",
    "cli",
    "vpype_plugin",
    "author",
    "styles",
    "page",
    "paper",
    "posture",
    "hyphenation",
    "words",
    "compose",
}
LEARNING_TOOLS = {"torch", "onnx", "safetensors", "tensorboard"}


def modules() -> list[str]:
    """The package's modules by their dotted names; "" is `handwriter` itself."""
    return [".".join(p.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__")
            .removesuffix(".") for p in sorted(PACKAGE.rglob("*.py"))]  # fmt: skip


def imports(module: str, *, lazy: bool = True) -> set[str]:
    """The dotted names that a module imports; those inside functions too, where `lazy`."""
    path = PACKAGE.joinpath(*module.split("."))
    source = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
    tree = ast.parse(source.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if lazy else eager(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            found |= {named(node.module or "", alias.name) for alias in node.names}
    return found


def eager(tree: ast.AST):
    """The nodes that run on import: not those in functions, nor those for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from eager(node)


def named(source: str, name: str) -> str:
    """`from handwriter import output` imports handwriter.output; most names are no modules."""
    return (
        f"{source}.{name}"
        if f"{source}.{name}".removeprefix("handwriter.") in modules()
        else source
    )


def ours(names: set[str]) -> set[str]:
    return {n.removeprefix("handwriter").removeprefix(".") for n in names
            if n.split(".")[0] == "handwriter"}  # fmt: skip


def part_of(module: str) -> str:
    return module.split(".")[0]


def test_every_module_has_its_layer():
    for module in modules():
        part, _, rest = module.partition(".")
        assert not part or part in LAYERS, f"give {module} a layer in test_layers.py"
        if part in WITHIN and rest:
            assert rest in WITHIN[part], f"give {module} a layer in test_layers.py"


@pytest.mark.parametrize("module", [m for m in modules() if m])
def test_a_module_imports_only_from_lower_layers(module):
    part, _, inner = module.partition(".")
    for other in ours(imports(module)) - {""}:
        other_part, _, other_inner = other.partition(".")
        if other_part != part:
            assert LAYERS[other_part] < LAYERS[part], f"{module} imports {other}"
        elif other_part in WITHIN:
            assert WITHIN[part][other_inner] < WITHIN[part][inner], f"{module} imports {other}"


@pytest.mark.parametrize("module", [m for m in modules() if part_of(m) != "training"])
def test_only_training_imports_torch(module):
    assert not {part_of(name) for name in imports(module)} & LEARNING_TOOLS


@pytest.mark.parametrize("module", modules())
def test_writing_and_learning_do_not_know_each_other(module):
    parts = {part_of(other) for other in ours(imports(module))}
    if part_of(module) == "training":
        assert not parts & WRITING
    elif part_of(module) != "cli":
        assert "training" not in parts


@pytest.mark.parametrize("module", [m for m in modules() if part_of(m) == "cli"])
def test_the_command_line_imports_the_rest_only_when_it_needs_it(module):
    rest = {n for n in ours(imports(module, lazy=False)) if part_of(n) != "cli"}
    assert rest <= {"", "errors"}


def test_this_test_sees_an_import_that_is_wrong():
    assert "training.lines" in ours(imports("cli.learning"))
    assert "torch" in imports("training.network", lazy=False)


def test_writing_never_loads_torch(tiny_hand_path, tmp_path):
    code = """
import sys
import handwriter, handwriter.cli
assert "onnxruntime" not in sys.modules, "importing is not yet writing"
hand, file = sys.argv[1:]
assert handwriter.cli.run(["write", "hello", "--hand", hand, "-o", file + ".svg", "-q"]) == 0
assert handwriter.cli.run(["explain", "hello", "--hand", hand, "-o", file + ".png"]) == 0
loaded = {"torch", "onnx", "safetensors", "tensorboard"} & set(sys.modules)
assert not loaded, loaded
"""
    process = tiny.python(code, tiny_hand_path, tmp_path / "hello")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert (tmp_path / "hello.svg").stat().st_size
    assert (tmp_path / "hello.png").stat().st_size
    assert sys.modules["torch"]  # this process, which trains, has it
