"""Calibrated frames of a data folder, what truly shines in them, and what theory allows.

A frame's truth: stars, galaxies and movers in its pixels (0-based), their light in electrons and,
for isolated stars, the smallest errors of place and light that photon and read noise allow
(Cramer-Rao bound of a Moffat star whose shape and sky are known).
"""

import csv
import glob
import json
import os
import warnings

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from scipy.spatial import cKDTree

warnings.simplefilter("ignore")
TURBULENCE_ARCSEC = 0.025  # of the simulated places, per axis (../shared/README.md)


def table(path):
    """A CSV file as a dictionary of arrays; numbers where every value is one."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {}
    for name in rows[0] if rows else []:
        values = [row[name] for row in rows]
        try:
            columns[name] = np.array([float(v) if v else np.nan for v in values])
        except ValueError:
            columns[name] = np.array(values)
    return columns


class Frame:
    """A calibrated frame with our catalogue and, on simulated nights, the truth."""

    def __init__(self, path):
        self.path = path
        self.stem = os.path.basename(path)[: -len(".fits")]
        with fits.open(path) as hdus:
            self.header = hdus[0].header
            self.pixels = hdus[0].data.astype(np.float32)
        self.mask = fits.getdata(path.replace(".fits", ".mask.fits"))
        catalogue = path.replace("/calibrated/", "/catalogue/").replace(".fits", ".cat.fits")
        self.ours = fits.getdata(catalogue) if os.path.exists(catalogue) else None
        self.truth = None
        self.place = None

    def read_truth(self, folder):
        """Fills `truth`; leaves it empty when the frame has none."""
        frames = table(f"{folder}/truth/frames.csv")
        rows = [i for i, f in enumerate(frames["file"]) if self.stem.startswith(f.split(".")[0])]
        header = f"{folder}/truth/wcs/" + (frames["file"][rows[0]].split(".")[0] if rows else "?")
        if not rows or not os.path.exists(header + ".hdr"):
            return
        info = {name: frames[name][rows[0]] for name in frames}
        with open(f"{folder}/truth/scenario.json") as file:
            config = json.load(file)["config"]
        wcs = WCS(fits.Header.fromstring(open(header + ".hdr").read().replace("\n", "")))
        shift = np.array([self.header.get("LTV1", 0.0), self.header.get("LTV2", 0.0)])
        self.place = (wcs, shift)
        self.truth = Truth(self, info, config, self.place, folder)


class Truth:
    """Everything that shines, stars first."""

    def __init__(self, frame, info, config, place, folder):
        wcs, shift = place
        stars, galaxies = (table(f"{folder}/truth/{n}.csv") for n in ("stars", "galaxies"))
        movers = table(f"{folder}/truth/ephem.csv")
        here = np.array([f == info["file"] for f in movers["file"]])
        to_px = lambda ra, dec: np.stack(wcs.all_world2pix(ra, dec, 0), axis=-1) + shift
        self.stars = to_px(stars["ra"], stars["dec"])
        others = [to_px(galaxies["ra"], galaxies["dec"])]
        others.append(np.stack([movers["x"][here], movers["y"][here]], axis=-1) - 1.0 + shift)
        ny, nx = frame.pixels.shape
        inside = ((self.stars > 4.0) & (self.stars < np.array([nx, ny]) - 5.0)).all(axis=1)
        self.g = stars["g"][inside]
        colour = stars["bp_rp"][inside] - 0.82
        self.all = np.concatenate([self.stars, *others])
        all_mag = np.concatenate([stars["g"], galaxies["g"], movers["mag"][here]])
        self.stars = self.stars[inside]
        self.fwhm_px = float(info["fwhm_px"])
        self.beta = config["psf"]["beta"]
        self.floor_px = TURBULENCE_ARCSEC / float(info["pixscale"])
        seconds_e = float(info["exptime"]) * frame.header["RAWGAIN"]
        mag = self.g + float(info["colour_term"]) * colour
        self.flux_e = 10 ** (-0.4 * (mag - float(info["zp_adu"]))) * seconds_e
        self.isolated = self.isolation(all_mag, inside)
        self.trail = [float(v) for v in [info["ellipticity"]]][0]

    def isolation(self, all_mag, inside):
        """Stars without anything brighter than 4 % of them within 7 seeing widths."""
        tree = cKDTree(self.all)
        isolated = np.zeros(len(self.stars), bool)
        index = np.flatnonzero(inside)
        near = tree.query_ball_point(self.stars, 7.0 * self.fwhm_px)
        for k, neighbours in enumerate(near):
            others = [j for j in neighbours if j != index[k]]
            isolated[k] = not np.any(all_mag[others] < self.g[k] + 3.5)
        return isolated


def moffat(n, fwhm, beta, phase):
    """Light per pixel of a star of unit light and its derivatives by x and y, on n x n pixels."""
    fine = 7
    alpha = fwhm / (2.0 * np.sqrt(2 ** (1.0 / beta) - 1.0))
    side = (np.arange(n * fine) + 0.5) / fine - 0.5 - n // 2
    dx, dy = np.meshgrid(side - phase[0], side - phase[1])
    core = 1.0 + (dx**2 + dy**2) / alpha**2
    peak = (beta - 1.0) / (np.pi * alpha**2)
    binned = lambda v: v.reshape(n, fine, n, fine).mean(axis=(1, 3))
    slope = 2.0 * beta * peak * core ** (-beta - 1.0) / alpha**2
    return binned(peak * core**-beta), binned(slope * dx), binned(slope * dy)


def bounds(flux_e, sky_e2, fwhm, beta):
    """Cramer-Rao bounds (place per axis [px], light [e-]) of stars on a sky of variance `sky_e2`."""
    grid = np.linspace(np.log(1.0), np.log(1e8), 60)
    n = int(10 * fwhm) | 1
    place, light = np.zeros(60), np.zeros(60)
    phases = [(0.0, 0.0), (0.25, 0.1), (0.5, 0.5), (0.1, 0.4)]
    middle = float(np.median(sky_e2))
    for phase in phases:
        p, px, py = moffat(n, fwhm, beta, phase)
        for k, f in enumerate(np.exp(grid)):
            v = middle + f * p
            place[k] += 0.5 * f * f * ((px**2 / v).sum() + (py**2 / v).sum()) / len(phases)
            light[k] += (p * p / v).sum() / len(phases)
    scaled = np.log(np.maximum(flux_e, 1.0) * middle / sky_e2)  # the same ratio of star to sky
    share = np.sqrt(sky_e2 / middle)
    place_px = np.exp(np.interp(scaled, grid, -0.5 * np.log(place))) / share
    return place_px, np.exp(np.interp(scaled, grid, -0.5 * np.log(light))) * share


def frames_of(data, night):
    """The frames of a data folder that have a catalogue, with truth from the night's folder."""
    paths = sorted(glob.glob(f"{data}/products/*/calibrated/*.fits"))
    for path in paths:
        if path.endswith(".mask.fits"):
            continue
        frame = Frame(path)
        if frame.ours is None:
            continue
        if night and os.path.exists(f"{night}/truth/stars.csv"):
            frame.read_truth(night)
        yield frame
