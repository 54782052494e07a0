"""Power of a light curve at a million frequencies, ours beside astropy's LombScargle.

    periods.py --ours PROGRAM [--points 1000]

PROGRAM is the built `period` bench (`cargo bench --profile fast --bench period --no-run` prints its
place). Prints time, ratio to each of astropy's methods with floating mean, and the largest
difference of power. `slow` and `chi2` are left out: they take many minutes for the same numbers.
"""

import argparse
import os
import subprocess
import tempfile
import time

import numpy as np
from astropy.timeseries import LombScargle

STEP, COUNT = 1e-4, 1_000_000


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--ours", required=True)
    words.add_argument("--points", type=int, default=1000)
    args = words.parse_args()
    rng = np.random.default_rng(3)
    t = np.sort(rng.uniform(0.0, 1000.0, args.points))
    err = rng.uniform(0.02, 0.06, args.points)
    y = 15.0 + 0.1 * np.sin(2 * np.pi * t / 3.3) + err * rng.normal(size=args.points)
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, "points")
        np.savetxt(name, np.c_[t, y, err], fmt="%.17g")
        env = dict(os.environ, AUTOSSOS_BENCH_POINTS=name)
        told = subprocess.run([args.ours], env=env, check=True, capture_output=True, text=True)
        ours = float(told.stdout.split()[-1])
        power = np.fromfile(name + ".power", dtype="<f8")
    frequency = STEP * (1 + np.arange(COUNT))
    print(f"ours: {ours:.3f} s")
    peer = LombScargle(t, y, err, fit_mean=True)
    for method in ["cython", "fastnifty", "fast"]:
        try:
            began = time.perf_counter()
            # `fast` and `fastnifty` make their own sums over a regular grid.
            theirs = peer.power(frequency, method=method, assume_regular_frequency=True)
            took = time.perf_counter() - began
        except Exception as error:
            print(f"{method}: not here ({error})")
            continue
        off = np.abs(theirs - power).max()
        print(f"{method}: {took:.3f} s, ratio {ours / took:.4f}, largest difference {off:.1e}")


if __name__ == "__main__":
    main()
