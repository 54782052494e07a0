"""Time of extraction of one frame, ours beside sep's and Source Extractor's, one thread each.

    speed.py [--side 4096] [--sources 6000] [--ours PROGRAM] [--runs 5] [--whole PROGRAM]

PROGRAM is the built `detect` bench (`cargo bench --profile fast --bench detect --no-run` prints its
place): it is asked for the time on the same frame. The second PROGRAM is the built `calibrate`
bench: from raw pixels to a catalogue with all threads, beside Source Extractor on the calibrated
frame. Installs nothing; says what is missing.
"""

import argparse
import os
import subprocess
import tempfile

import numpy as np
from astropy.io import fits

import peers

FWHM_PX, SKY_E, READ_NOISE_E = 3.0, 400.0, 6.0


def drawn(side, sources):
    """A frame of Gaussian stars on a flat noisy sky, reproducible."""
    rng = np.random.default_rng(5)
    frame = np.full((side, side), SKY_E)
    x, y = rng.uniform(10, side - 10, (2, sources))
    light = 10 ** rng.uniform(2.9, 5.2, sources)
    sigma = FWHM_PX / 2.3548
    for x0, y0, f in zip(x, y, light):
        i, j = int(y0), int(x0)
        ys, xs = np.mgrid[max(i - 9, 0): i + 10, max(j - 9, 0): j + 10]
        inside = (ys < side) & (xs < side)
        ys, xs = ys[inside], xs[inside]
        core = np.exp(-0.5 * ((xs - x0) ** 2 + (ys - y0) ** 2) / sigma**2)
        frame[ys, xs] += f / (2 * np.pi * sigma**2) * core
    frame = rng.poisson(frame) + rng.normal(0.0, READ_NOISE_E, frame.shape)
    return np.ascontiguousarray(frame, dtype=np.float32)


def whole(program, runs):
    """Calibration and extraction of a raw 2048 x 2048 frame beside Source Extractor's second half."""
    ours, theirs, counts = [], [], (0, 0)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(runs):
            env = dict(os.environ, AUTOSSOS_BENCH_REDUCED=f"{folder}/reduced.f32")
            told = subprocess.run([program], env=env, check=True, capture_output=True,
                                  text=True).stdout.split()
            pixels = np.fromfile(f"{folder}/reduced.f32", dtype="<f4").reshape(2048, 2048)
            fits.PrimaryHDU(pixels).writeto(f"{folder}/frame.fits", overwrite=True)
            found, seconds = peers.run_sextractor(f"{folder}/frame.fits", FWHM_PX)
            counts = (int(told[0]), 0 if found is None else len(found))
            ours.append(float(told[1]))
            theirs.append(seconds)
    print(f"raw to catalogue, 2048 x 2048 px: {counts[0]} sources, least {min(ours):.3f} s, "
          f"median {np.median(ours):.3f} s; source-extractor on the calibrated frame "
          f"{counts[1]} sources, {min(theirs):.3f} s, {np.median(theirs):.3f} s: "
          f"{min(ours) / min(theirs):.2f} of the least, "
          f"{np.median(ours) / np.median(theirs):.2f} of the median")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--sources", type=int, default=6000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--ours", help="the built bench `detect`")
    parser.add_argument("--whole", help="the built bench `calibrate`")
    options = parser.parse_args()
    for lack in peers.missing():
        print(f"missing, left out: {lack}")
    if options.whole:
        whole(options.whole, options.runs)
    pixels = drawn(options.side, options.sources)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/frame.fits"
        fits.PrimaryHDU(pixels).writeto(path)
        raw = f"{folder}/frame.f32"
        pixels.tofile(raw)
        times = {"ours": [], "sep": [], "source-extractor": []}
        counts = {}
        # In turn, so that a busy machine troubles all alike.
        for _ in range(options.runs):
            if options.ours:
                env = dict(os.environ, RAYON_NUM_THREADS="1", AUTOSSOS_BENCH_RUNS="1",
                           AUTOSSOS_BENCH_FRAME=raw, AUTOSSOS_BENCH_SIDE=str(options.side))
                told = subprocess.run([options.ours], env=env, check=True, capture_output=True,
                                      text=True).stdout.split()
                counts["ours"] = int(told[0])
                times["ours"].append(float(told[1]))
            counts["sep"], seconds = peers.run_sep(pixels, FWHM_PX)
            times["sep"].append(seconds)
            found, seconds = peers.run_sextractor(path, FWHM_PX)
            counts["source-extractor"] = 0 if found is None else len(found)
            times["source-extractor"].append(seconds)
    print(f"{options.side} x {options.side} px, {options.sources} stars drawn, one thread, "
          f"least and median of {options.runs} runs")
    for name, values in times.items():
        if values and np.isfinite(values).all():
            least, middle = min(values), float(np.median(values))
            print(f"  {name:17s} {counts[name]:6d} found  {least:.3f} s  {middle:.3f} s")
    for peer in ("sep", "source-extractor"):
        if times["ours"] and np.isfinite(times[peer]).all():
            print(f"  ours / {peer}: {min(times['ours']) / min(times[peer]):.2f} of the least, "
                  f"{np.median(times['ours']) / np.median(times[peer]):.2f} of the median")


if __name__ == "__main__":
    main()
