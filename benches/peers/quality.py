"""Figures of extraction on simulated nights, ours beside Source Extractor's.

    quality.py NIGHT_FOLDER=DATA_FOLDER ... [--frames N]

NIGHT_FOLDER holds `truth/`; DATA_FOLDER is what `autossosctl run` filled. Installs nothing; says
what is missing. Needs numpy, scipy and astropy.
"""

import argparse

import numpy as np
from scipy.ndimage import binary_dilation
from scipy.spatial import cKDTree

import peers
from frames import bounds, frames_of

MAG_STEP = 0.5
SNR_BINS = [5, 10, 15, 25, 50, 100, 200]
COSMIC = 8  # of our masks
SPOILED = 2 | 4 | 8 | 16 | 32 | 64  # our flags that spoil a star; SExtractor's of its own below


class Side:
    """One program's catalogue in common terms, places 0-based."""

    def __init__(self, name, xy, flux, flux_err, place_err, flags):
        self.name, self.xy, self.flux, self.flux_err = name, xy, flux, flux_err
        self.place_err, self.is_clean = place_err, flags == 0


def ours(frame):
    """Our catalogue without what it marks as no star: cosmic rays and trails."""
    c = frame.ours
    c = c[(c["FLAGS"] & (32 | 64)) == 0]
    is_psf = "FLUX_PSF" in c.names
    flux, err = ("FLUX_PSF", "FLUXERR_PSF") if is_psf else ("FLUX_APER", "FLUXERR_APER")
    xy = np.stack([c["XWIN_IMAGE"], c["YWIN_IMAGE"]], axis=-1) - 1.0
    return Side("ours", xy, c[flux], c[err], c["ERRWIN_IMAGE"], c["FLAGS"] & (SPOILED | 1))


def theirs(frame, fwhm_px):
    c, _ = peers.run_sextractor(frame.path, fwhm_px)
    if c is None:
        return None
    xy = np.stack([c["XWIN_IMAGE"], c["YWIN_IMAGE"]], axis=-1) - 1.0
    err = np.sqrt(0.5 * (c["ERRAWIN_IMAGE"] ** 2 + c["ERRBWIN_IMAGE"] ** 2))
    # A windowed place that ran away is replaced by the isophotal one for the matching.
    isophotal = np.stack([c["X_IMAGE"], c["Y_IMAGE"]], axis=-1) - 1.0
    is_lost = ~(np.hypot(*(xy - isophotal).T) < 2.0)
    xy[is_lost] = isophotal[is_lost]
    return Side("SExtractor", xy, c["FLUX_AUTO"], c["FLUXERR_AUTO"], err, c["FLAGS"])


def flattened(residual, xy, weight, order):
    """Residuals less a polynomial in place fitted to those of positive weight."""
    u, v = xy[:, 0] / 500.0 - 1.0, xy[:, 1] / 500.0 - 1.0
    terms = [u**i * v**j for i in range(order + 1) for j in range(order + 1 - i)]
    design = np.stack(terms, axis=-1)
    use = np.isfinite(residual) & (weight > 0)
    for _ in range(6):
        if use.sum() < 4 * design.shape[1]:
            return residual - np.nanmedian(residual[use]) if use.any() else residual
        w = np.sqrt(weight[use])
        fit = np.linalg.lstsq(design[use] * w[:, None], residual[use] * w, rcond=None)[0]
        rest = residual - design @ fit
        pull = np.abs(rest) * np.sqrt(weight)
        use = np.isfinite(residual) & (weight > 0) & (pull < 4 * np.nanmedian(pull[use]) + 1e-12)
    return rest


def nearest(side, places, reach):
    """Index of the side's source nearest to each place, or -1 beyond reach."""
    distance, index = cKDTree(side.xy).query(places, distance_upper_bound=reach)
    return np.where(np.isfinite(distance), index, -1)


def spoiled(frame, reach_px):
    """Pixels with a bad, saturated or trailed pixel within reach: no program can be asked there.

    What we took for a cosmic ray is no excuse: a star's core lost that way counts as missed.
    """
    n = int(reach_px)
    y, x = np.mgrid[-n : n + 1, -n : n + 1]
    return binary_dilation((frame.mask | COSMIC) != COSMIC, structure=x * x + y * y <= reach_px**2)


def measure(frame, sums):
    """Adds one frame's comparison to the sums."""
    t = frame.truth
    sides = [s for s in (ours(frame), theirs(frame, t.fwhm_px)) if s is not None]
    rms = peers.sky_rms(frame.pixels)
    near = np.clip(np.round(t.stars).astype(int), 0, np.array(frame.pixels.shape)[::-1] - 1)
    sky_e2 = rms[near[:, 1], near[:, 0]] ** 2
    place_px, light_e = bounds(t.flux_e, sky_e2, t.fwhm_px, t.beta)
    snr = t.flux_e / light_e
    is_good = ~spoiled(frame, 1.5 * t.fwhm_px)[near[:, 1], near[:, 0]]
    mag = np.floor(t.g / MAG_STEP) * MAG_STEP
    found = [nearest(s, t.stars, max(1.0, 0.8 * t.fwhm_px)) for s in sides]
    for side, index in zip(sides, found):
        for m in np.unique(mag[is_good]):
            key = (side.name, m)
            at = is_good & (mag == m)
            n, total = sums["found"].get(key, (0, 0))
            sums["found"][key] = (n + int((index[at] >= 0).sum()), total + int(at.sum()))
        inside = ((side.xy > 4) & (side.xy < np.array(frame.pixels.shape)[::-1] - 5)).all(axis=1)
        place = np.round(side.xy[inside]).astype(int)
        trusted = frame.mask[place[:, 1], place[:, 0]] == 0
        lonely = cKDTree(t.all).query(side.xy[inside])[0] > max(3.0, 1.5 * t.fwhm_px)
        sums["false"][side.name] = sums["false"].get(side.name, 0) + int((lonely & trusted).sum())
    both = np.all([i >= 0 for i in found], axis=0) & t.isolated & is_good
    for side, index in zip(sides, found):
        both &= side.is_clean[np.maximum(index, 0)]
    for side, index in zip(sides, found):
        rows = index[both]
        xy, true = side.xy[rows], t.stars[both]
        floor = t.floor_px
        weight = 1.0 / (place_px[both] ** 2 + floor**2)
        dx, dy = (flattened((xy - true)[:, k], true, weight, 2) for k in (0, 1))
        ratio = side.flux[rows] / t.flux_e[both]
        bright = np.where(snr[both] > 40, snr[both] ** 2 / (1 + (0.004 * snr[both]) ** 2), 0.0)
        scale = np.nanmedian(ratio[snr[both] > 40])
        df = flattened(ratio / scale - 1.0, true, bright, 2)
        sums["stars"].append(np.stack([
            np.full(len(dx), sides.index(side)), snr[both], dx, dy, df, place_px[both],
            np.full(len(dx), floor), side.place_err[rows],
            side.flux_err[rows] / side.flux[rows] * ratio / scale,
        ], axis=-1))


def spread(values):
    return 1.4826 * np.median(np.abs(values - np.median(values))) if len(values) > 4 else np.nan


def tell(sums):
    """Prints the figures."""
    names = [n for n in ("ours", "SExtractor") if any(k[0] == n for k in sums["found"])]
    print("completeness by magnitude; false detections:", sums["false"])
    totals = {n: [0, 0] for n in names}
    for m in sorted({k[1] for k in sums["found"]}):
        line = f"  G {m:4.1f}-{m + MAG_STEP:4.1f}"
        for name in names:
            n, total = sums["found"].get((name, m), (0, 0))
            totals[name][0] += n
            totals[name][1] += total
            share = n / max(total, 1)
            error = np.sqrt(max(share * (1 - share), 0.0) / max(total, 1))
            line += f"   {name} {share:.3f} +- {error:.3f} of {total:5d}"
        print(line)
    print("  all " + "   ".join(f"{n} {totals[n][0]} of {totals[n][1]}" for n in names))
    stars = np.concatenate(sums["stars"]) if sums["stars"] else np.zeros((0, 9))
    print("isolated, clean stars: scatter over bound (place: bound and turbulence together),")
    print("bias of light [mmag], pulls of place and light")
    for low, high in zip(SNR_BINS[:-1], SNR_BINS[1:]):
        line = f"  S/N {low:3d}-{high:3d}"
        for k, name in enumerate(names):
            s = stars[(stars[:, 0] == k) & (stars[:, 1] >= low) & (stars[:, 1] < high)]
            if len(s) < 20:
                continue
            expected = np.hypot(s[:, 5], s[:, 6])
            both = np.concatenate([s[:, 2] / expected, s[:, 3] / expected])
            quoted = np.hypot(s[:, 7], s[:, 6])
            pulls = np.concatenate([s[:, 2] / quoted, s[:, 3] / quoted])
            light = s[:, 4] * s[:, 1]
            bias = -1085.7 * np.median(s[:, 4])
            bias_err = 1085.7 * 1.25 * spread(s[:, 4]) / np.sqrt(len(s))
            line += (f"   {name} n {len(s):4d} place {spread(both):.2f} light {spread(light):.2f}"
                     f" bias {bias:+6.1f} +- {bias_err:3.1f} pulls {spread(pulls):.2f}"
                     f" {spread(s[:, 4] / s[:, 8]):.2f}")
        print(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="+", help="NIGHT_FOLDER=DATA_FOLDER")
    parser.add_argument("--frames", type=int, default=1000, help="most frames per night")
    options = parser.parse_args()
    for lack in peers.missing():
        print(f"missing, left out: {lack}")
    for pair in options.pairs:
        night, data = pair.split("=")
        sums = {"found": {}, "false": {}, "stars": []}
        frames = 0
        for frame in frames_of(data, night):
            if frame.truth is None or frames >= options.frames:
                continue
            frames += 1
            measure(frame, sums)
        print(f"\n{night}: {frames} frames with truth")
        if frames:
            tell(sums)


if __name__ == "__main__":
    main()
