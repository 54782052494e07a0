"""Plate solutions on simulated nights: ours beside SCAMP's (errors) and solve-field's (time).

    solving.py NIGHT_FOLDER=DATA_FOLDER ... [--ours SOLVE_BENCH]

NIGHT_FOLDER holds `truth/` and `inputs/gaia.csv`; DATA_FOLDER is what `autossosctl run` filled;
SOLVE_BENCH is the built bench `solve`. All get the same frames, the same star lists and a pointing
that is off by 3 arcmin. Installs nothing; says what is missing. Needs numpy, scipy and astropy.
"""

import argparse
import os
import shutil
import subprocess
import tempfile

import numpy as np
from astropy.wcs import WCS

import solvers
from frames import frames_of
from solvers import OFF_DEG, reference, rough_header, star_list

GRID = 9


def grid_error_mas(frame, wcs):
    """Root mean square distance of a solution from the truth over the frame, two axes [mas]."""
    true, shift = frame.place
    ny, nx = frame.pixels.shape
    x, y = (
        g.ravel() for g in np.meshgrid(np.linspace(0, nx - 1, GRID), np.linspace(0, ny - 1, GRID))
    )
    ra, dec = wcs.all_pix2world(x, y, 0)
    ra0, dec0 = true.all_pix2world(x - shift[0], y - shift[1], 0)
    d_ra = ((ra - ra0 + 180) % 360 - 180) * np.cos(np.radians(dec0))
    return float(np.sqrt(np.mean(d_ra**2 + (dec - dec0) ** 2)) * 3.6e6)


def ours(program, folder, night, frames):
    """Times of our solver for each frame [s]."""
    ra, dec, err, mag = reference(night)
    np.savetxt(f"{folder}/reference.txt", np.stack([ra, dec, err * 3.6e6, mag], axis=-1))
    with open(f"{folder}/frames.txt", "w") as file:
        for k, frame in enumerate(frames):
            _, at_ra, at_dec, scale = rough_header(frame)
            ny, nx = frame.pixels.shape
            np.savetxt(f"{folder}/{k}.txt", np.stack(star_list(frame), axis=-1))
            file.write(f"{k}.txt {nx} {ny} {at_ra + OFF_DEG} {at_dec} {scale}\n")
    env = dict(os.environ, AUTOSSOS_BENCH_LISTS=folder)
    told = subprocess.run([program], env=env, check=True, capture_output=True, text=True).stdout
    return [float(word) for word in told.split()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("nights", nargs="+")
    parser.add_argument("--ours")
    options = parser.parse_args()
    lacks = solvers.missing()
    if lacks:
        print("missing:", ", ".join(lacks))
    for pair in options.nights:
        night, data = pair.split("=")
        frames = [f for f in frames_of(data, night) if f.place is not None and "CD1_1" in f.header]
        own = [grid_error_mas(f, WCS(f.header)) for f in frames]
        print(f"{night}: {len(frames)} frames, error over the frame, median and worst [mas]")
        print(f"  ours         {np.median(own):7.1f} {max(own):7.1f}")
        if shutil.which("scamp") and solvers.peers.SEXTRACTOR:
            with tempfile.TemporaryDirectory() as folder:
                solved, seconds = solvers.scamp(folder, night, frames)
            peer = [grid_error_mas(f, w) for f, w in zip(frames, solved)]
            worse = sum(a > b for a, b in zip(own, peer))
            print(
                f"  SCAMP        {np.median(peer):7.1f} {max(peer):7.1f}"
                f"   ours worse in {worse}; {seconds:.2f} s per frame"
            )
        if shutil.which("solve-field") and options.ours:
            with tempfile.TemporaryDirectory() as folder:
                times = solvers.solve_field(folder, night, frames)
                mine = ours(options.ours, folder, night, frames)
            peer_s, own_s = np.nanmedian(times), np.median(mine)
            print(
                f"  time per frame: ours {own_s:.4f} s, solve-field {peer_s:.3f} s"
                f" ({np.isfinite(times).sum()} solved): {own_s / peer_s:.4f}"
            )


if __name__ == "__main__":
    main()
