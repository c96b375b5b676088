"""Rounding weights to integers so that what they are multiplied with notices least.

To the nearest is best for each weight by itself.  Inputs that come together can do better: what
rounding one weight up adds to the product, the next ones can take away again (GPTQ: Frantar et al.
2022, arXiv:2210.17323, with the rows in their own order).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DAMPING = 0.01  # of the mean square of the inputs: what a few lines cannot tell about them

Floats = NDArray[np.float32]


def rounded(
    weights: Floats, most: int, inputs: Floats | None = None
) -> tuple[NDArray[np.int8], Floats]:
    """Weights (n, outputs) as whole numbers from -`most` to `most`, and the scale of each column.

    The squared error of the outputs is made small for inputs (samples, n) such as these.  Without
    any, each weight goes to the nearest number.
    """
    scale = np.maximum(np.abs(weights).max(axis=0), np.float32(1e-12)) / np.float32(most)
    left = (weights / scale).astype(np.float64)
    if inputs is None:
        return np.rint(left).astype(np.int8), scale
    n, exact = len(weights), inputs.astype(np.float64)
    products = exact.T @ exact / len(exact)
    damped = products + (DAMPING * np.trace(products) / n + 1e-9) * np.eye(n)
    # Row i of `upper` tells how the rows behind it make good for an error in row i.
    upper = np.linalg.cholesky(np.linalg.inv(damped)).T
    whole = np.empty_like(left)
    for i in range(n):
        whole[i] = np.clip(np.rint(left[i]), -most, most)
        error = (left[i] - whole[i]) / upper[i, i]
        left[i + 1 :] -= np.outer(upper[i, i + 1 :], error)
    return whole.astype(np.int8), scale
