"""Measure kernel estimators, searched inside training folds, on small tables with several targets.

    python tests/benchmarks/bench_kernel_tables.py FILE.npz ... [--shuffles 3]
"""

import argparse


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.parse_args()


if __name__ == "__main__":
    main()
