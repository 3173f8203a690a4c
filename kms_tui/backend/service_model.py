"""botocore's KMS service model, read as data.

Building botocore's own objects from the file would take ten times as long as reading it.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_MODEL = "data/kms/2014-11-01/service-2.json.gz"


@cache
def service_model() -> Any:
    """The parsed ``service-2.json``: operations, and the shapes of what goes in and comes out."""
    package = find_spec("botocore")
    if package is None or package.origin is None:  # pragma: no cover
        raise ImportError("botocore is not installed")
    with gzip.open(Path(package.origin).parent / _MODEL) as file:
        return json.load(file)
