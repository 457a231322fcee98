"""Time the import of every public name against ``import sklearn.linear_model``.

    python tests/benchmarks/bench_import.py

Fresh processes in turn; prints the median of the pairwise ratios.
"""

import subprocess
import sys
from time import perf_counter

import numpy as np

OURS = "import sklearn_mtl; [getattr(sklearn_mtl, name) for name in sklearn_mtl.__all__]"
PACKAGE = "import sklearn_mtl"
PEER = "import sklearn.linear_model"


def seconds(statement):
    start = perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return perf_counter() - start


def main():
    for statement in (OURS, PACKAGE, PEER):
        seconds(statement)
    for name, statement in (("every public name", OURS), ("the package alone", PACKAGE)):
        pairs = [(seconds(statement), seconds(PEER)) for _ in range(9)]
        ratio = np.median([ours / peer for ours, peer in pairs])
        ours, peer = np.median(pairs, axis=0)
        print(f"{name}: {ours:.2f} s against {peer:.2f} s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
