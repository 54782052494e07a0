"""The peers on a calibrated frame: Source Extractor and sep, with our threshold and filter."""

import os
import shutil
import subprocess
import tempfile
import time

import numpy as np
from astropy.io import fits

try:
    import sep
except ImportError:
    sep = None

SEXTRACTOR = shutil.which("source-extractor") or shutil.which("sex")
COLUMNS = """NUMBER XWIN_IMAGE YWIN_IMAGE X_IMAGE Y_IMAGE FLUX_AUTO FLUXERR_AUTO FLUX_APER
FLUXERR_APER ERRAWIN_IMAGE ERRBWIN_IMAGE A_IMAGE B_IMAGE FLAGS FWHM_IMAGE""".split()
# What our matched filter asks of a summit, in units of the filtered sky's noise.
THRESHOLD = 4.0


def missing():
    """What cannot be compared, in words."""
    lacks = [] if SEXTRACTOR else ["source-extractor (Debian package of that name)"]
    return lacks + ([] if sep else ["sep (PyPI)"])


def gaussian(fwhm_px):
    """Our matched filter's kernel: a Gaussian cut at three sigma, of sum one."""
    sigma = fwhm_px / 2.3548
    radius = max(int(np.ceil(3 * sigma)), 1)
    line = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel = np.outer(line, line)
    return kernel / kernel.sum()


def run_sextractor(path, fwhm_px, extra=()):
    """Catalogue of a FITS file (electrons) and the wall time [s]; None without the program."""
    if SEXTRACTOR is None:
        return None, np.nan
    kernel = gaussian(fwhm_px)
    sigmas = THRESHOLD * np.sqrt((kernel**2).sum())
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/out.param", "w") as file:
            file.write("\n".join(COLUMNS + ["FLUX_RADIUS"]) + "\n")
        with open(f"{folder}/filter.conv", "w") as file:
            file.write("CONV NORM\n")
            np.savetxt(file, kernel, fmt="%.6e")
        options = {
            "CATALOG_NAME": f"{folder}/out.fits", "CATALOG_TYPE": "FITS_1.0",
            "PARAMETERS_NAME": f"{folder}/out.param", "FILTER": "Y",
            "FILTER_NAME": f"{folder}/filter.conv", "DETECT_MINAREA": 1,
            "DETECT_THRESH": f"{sigmas:.4f}", "ANALYSIS_THRESH": f"{sigmas:.4f}",
            "DEBLEND_NTHRESH": 32, "DEBLEND_MINCONT": 0.005, "CLEAN": "Y", "CLEAN_PARAM": 1.0,
            "PHOT_AUTOPARAMS": "2.5,3.5", "PHOT_APERTURES": f"{3 * fwhm_px:.2f}",
            "BACK_SIZE": 64, "BACK_FILTERSIZE": 3, "GAIN": 1.0, "GAIN_KEY": "NONE",
            "SATUR_LEVEL": 1e9, "SATUR_KEY": "NONE", "PIXEL_SCALE": 1.0,
            "SEEING_FWHM": f"{fwhm_px:.2f}", "VERBOSE_TYPE": "QUIET", "CHECKIMAGE_TYPE": "NONE",
            "NTHREADS": 1, "MEMORY_PIXSTACK": 3000000, "MEMORY_OBJSTACK": 30000,
        }
        with open(f"{folder}/empty.sex", "w"):
            pass
        words = [SEXTRACTOR, path, "-c", f"{folder}/empty.sex"]
        for key, value in options.items():
            words += [f"-{key}", str(value)]
        start = time.perf_counter()
        subprocess.run(words + list(extra), check=True, capture_output=True)
        seconds = time.perf_counter() - start
        return fits.getdata(f"{folder}/out.fits", 1), seconds


def run_sep(pixels, fwhm_px):
    """sep's background, extraction and apertures; number of sources and the wall time [s]."""
    if sep is None:
        return 0, np.nan
    kernel = gaussian(fwhm_px)
    sep.set_extract_pixstack(3_000_000)
    start = time.perf_counter()
    sky = sep.Background(pixels, bw=64, bh=64, fw=3, fh=3)
    signal = pixels - sky
    found = sep.extract(signal, THRESHOLD * np.sqrt((kernel**2).sum()), err=sky.globalrms,
                        minarea=1, filter_kernel=kernel, deblend_nthresh=32, deblend_cont=0.005)
    sep.sum_circle(signal, found["x"], found["y"], 1.5 * fwhm_px, err=sky.globalrms, gain=1.0)
    return len(found), time.perf_counter() - start


def sky_rms(pixels):
    """Noise of the sky at each pixel, by sep or, without it, one number for the frame."""
    if sep is not None:
        return sep.Background(np.ascontiguousarray(pixels), bw=64, bh=64, fw=3, fh=3).rms()
    middle = np.median(pixels)
    return np.full(pixels.shape, 1.4826 * np.median(np.abs(pixels - middle)))
