"""Speed of the convex family: both sides in one run, ratios at an equal duality gap of 1e-6.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_convex.py [--school FILE] [--whole]
        [--plot FILE] [--only nuclear joint quadratic path scaling]

``--school`` is the file that ``examples/plot_school.py`` reads (X, y, school); without it schools
are drawn. ``--whole`` runs the path at (100000, 200, 50) with 50 strengths, where the grid search
takes minutes; ``--plot`` draws the cost against rows, features and tasks. Needs the ``bench``
extra.
"""

import argparse

import _l21_cases
import _nuclear_cases
import _path_cases
import _quadratic_cases
import _scaling_cases

SECTIONS = {
    "nuclear": lambda options: _nuclear_cases.main(options.school),
    "joint": lambda options: _l21_cases.main(everything=options.whole),
    "quadratic": lambda options: _quadratic_cases.main(options.school),
    "path": lambda options: _path_cases.main(["--whole"] if options.whole else []),
    "scaling": lambda options: _scaling_cases.show(_scaling_cases.measure(), options.plot),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--school", help="file of the School data")
    parser.add_argument("--whole", action="store_true", help="every case, minutes")
    parser.add_argument("--plot", help="where to draw the cost against n, p and T")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    options = parser.parse_args()
    for section in options.only:
        print(f"\n== {section}", flush=True)
        SECTIONS[section](options)


if __name__ == "__main__":
    main()
