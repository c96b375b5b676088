"""The scripts of the repository as modules, for the tests that look into them."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def loaded(name: str) -> ModuleType:
    """scripts/NAME.py as a module."""
    path = Path(__file__).parent.parent / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"{name}_script", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[f"{name}_script"] = module
    spec.loader.exec_module(module)
    return module
