"""The peers on star lists and frames: SCAMP and solve-field, with the night's own catalogue."""

import os
import shutil
import subprocess
import time

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

import peers
from frames import table

# How far a pointing is off [deg].
OFF_DEG = 0.05
PROGRAMS = ("scamp", "solve-field", "build-astrometry-index")


def missing():
    """What cannot be compared, in words."""
    return [f for f in PROGRAMS if shutil.which(f) is None] + peers.missing()


def rough_header(frame):
    """Pointing and scale as a mount would tell them: off, and unrotated but for the parity."""
    wcs = WCS(frame.header)
    ny, nx = frame.pixels.shape
    ra, dec = (float(v) for v in wcs.all_pix2world((nx - 1) / 2, (ny - 1) / 2, 0))
    scale = np.sqrt(abs(np.linalg.det(wcs.wcs.cd)))
    sign = np.sign(wcs.wcs.cd.diagonal())
    header = fits.Header()
    for axis, (kind, value, n) in enumerate(
        [("RA---TAN", ra + OFF_DEG, nx), ("DEC--TAN", dec, ny)], 1
    ):
        header[f"CTYPE{axis}"], header[f"CUNIT{axis}"] = kind, "deg"
        header[f"CRVAL{axis}"], header[f"CRPIX{axis}"] = value, (n + 1) / 2
        header[f"CD{axis}_{axis}"] = float(scale * sign[axis - 1])
        header[f"CD{axis}_{3 - axis}"] = 0.0
    return header, ra, dec, scale * 3600


def reference(night):
    """The night's catalogue at 2024.3: RA, Dec [deg], errors [deg], G."""
    gaia = table(f"{night}/inputs/gaia.csv")
    years = 2024.3 - gaia["ref_epoch"]
    pm_ra, pm_dec = (np.nan_to_num(gaia[k]) for k in ("pmra", "pmdec"))
    dec = gaia["dec"] + pm_dec * years / 3.6e6
    ra = gaia["ra"] + pm_ra * years / 3.6e6 / np.cos(np.radians(dec))
    return ra, dec, gaia["ra_error"] / 3.6e6, gaia["phot_g_mean_mag"]


def ldac(folder, frames):
    """SExtractor's LDAC catalogues of the frames under rough headers."""
    names = (
        "XWIN_IMAGE YWIN_IMAGE ERRAWIN_IMAGE ERRBWIN_IMAGE ERRTHETAWIN_IMAGE FLUX_AUTO "
        "FLUXERR_AUTO FLAGS FLUX_RADIUS"
    )
    with open(f"{folder}/ldac.param", "w") as file:
        file.write("\n".join(names.split()) + "\n")
    paths = []
    for k, frame in enumerate(frames):
        header = rough_header(frame)[0]
        header["EXPTIME"], header["DATE-OBS"] = frame.header["EXPTIME"], frame.header["DATE-OBS"]
        header["MJD-OBS"] = float(frame.header.get("MJD-AVG", 60000.0))
        header["RADESYS"], header["EQUINOX"], header["FILTER"] = "ICRS", 2000.0, "R"
        image, out = f"{folder}/{k}.fits", f"{folder}/{k}.cat"
        fits.writeto(image, frame.pixels, header)
        subprocess.run(
            [
                peers.SEXTRACTOR,
                image,
                "-c",
                f"{folder}/empty",
                "-CATALOG_TYPE",
                "FITS_LDAC",
                "-CATALOG_NAME",
                out,
                "-PARAMETERS_NAME",
                f"{folder}/ldac.param",
                "-FILTER",
                "N",
                "-DETECT_THRESH",
                "5",
                "-ANALYSIS_THRESH",
                "5",
                "-VERBOSE_TYPE",
                "QUIET",
                "-SATUR_KEY",
                "NONE",
                "-GAIN_KEY",
                "NONE",
            ],
            check=True,
        )
        paths.append(out)
    return paths


def scamp(folder, night, frames):
    """SCAMP's solutions of the frames together, and its time per frame [s]."""
    open(f"{folder}/empty", "w").close()
    paths = ldac(folder, frames)
    ra, dec, err, mag = reference(night)
    columns = [
        ("RA", ra),
        ("DEC", dec),
        ("ERRA", err),
        ("ERRB", err),
        ("MAG", mag),
        ("MAGERR", np.full(len(ra), 0.01)),
        ("OBSDATE", np.full(len(ra), 2024.3)),
    ]
    objects = fits.BinTableHDU.from_columns(
        [
            fits.Column(n, "1D", array=v, unit="deg" if n in ("RA", "DEC", "ERRA", "ERRB") else "")
            for n, v in columns
        ],
        name="LDAC_OBJECTS",
    )
    card = np.array([fits.Header().tostring().ljust(2880)], dtype="S2880")
    head = fits.BinTableHDU.from_columns(
        [fits.Column("Field Header Card", "2880A", array=card)], name="LDAC_IMHEAD"
    )
    fits.HDUList([fits.PrimaryHDU(), head, objects]).writeto(f"{folder}/ref.cat")
    start = time.perf_counter()
    subprocess.run(
        [
            "scamp",
            *paths,
            "-c",
            f"{folder}/empty",
            "-ASTREF_CATALOG",
            "FILE",
            "-ASTREFCAT_NAME",
            f"{folder}/ref.cat",
            "-ASTREFCENT_KEYS",
            "RA,DEC",
            "-ASTREFERR_KEYS",
            "ERRA,ERRB",
            "-ASTREFMAG_KEY",
            "MAG",
            "-ASTREFMAGERR_KEY",
            "MAGERR",
            "-ASTREFOBSDATE_KEY",
            "OBSDATE",
            "-DISTORT_DEGREES",
            "3",
            "-CROSSID_RADIUS",
            "2",
            "-POSITION_MAXERR",
            "5",
            "-POSANGLE_MAXERR",
            "5",
            "-PIXSCALE_MAXERR",
            "1.1",
            "-SN_THRESHOLDS",
            "5,50",
            "-SOLVE_PHOTOM",
            "N",
            "-CHECKPLOT_TYPE",
            "NONE",
            "-WRITE_XML",
            "N",
            "-VERBOSE_TYPE",
            "QUIET",
            "-NTHREADS",
            "1",
        ],
        check=True,
    )
    seconds = (time.perf_counter() - start) / len(paths)
    solved = []
    for path in paths:
        with open(path.replace(".cat", ".head")) as file:
            text = "".join(
                l.rstrip("\n").ljust(80) for l in file if not l.startswith(("HISTORY", "COMMENT"))
            )
        solved.append(WCS(fits.Header.fromstring(text)))
    return solved, seconds


def star_list(frame):
    """Places (1-based), light and errors of what is no hit and no trail, brightest first."""
    c = frame.ours[(frame.ours["FLAGS"] & (32 | 64)) == 0]
    order = np.argsort(-c["FLUX_PSF"])
    return [
        np.asarray(c[n][order], float)
        for n in ("XWIN_IMAGE", "YWIN_IMAGE", "FLUX_PSF", "ERRWIN_IMAGE")
    ]


def solve_field(folder, night, frames):
    """Times of solve-field for each frame [s] with an index of the same stars; NaN: not solved."""
    ra, dec, _, mag = reference(night)
    Table({"RA": ra, "DEC": dec, "MAG": mag}).write(f"{folder}/stars.fits")
    for preset in ("0", "2", "4"):
        subprocess.run(
            [
                "build-astrometry-index",
                "-i",
                f"{folder}/stars.fits",
                "-o",
                f"{folder}/index-{preset}.fits",
                "-P",
                preset,
                "-S",
                "MAG",
                "-E",
                "-I",
                preset,
            ],
            check=True,
            capture_output=True,
        )
    with open(f"{folder}/backend.cfg", "w") as file:
        file.write(f"add_path {folder}\nautoindex\ninparallel\n")
    times = []
    for k, frame in enumerate(frames):
        _, at_ra, at_dec, scale = rough_header(frame)
        x, y, flux, _ = star_list(frame)
        Table({"X": x, "Y": y, "FLUX": flux}).write(f"{folder}/xy{k}.fits")
        ny, nx = frame.pixels.shape
        start = time.perf_counter()
        subprocess.run(
            [
                "solve-field",
                f"{folder}/xy{k}.fits",
                "--no-plots",
                "--no-remove-lines",
                "--uniformize",
                "0",
                "--overwrite",
                "-D",
                folder,
                "--backend-config",
                f"{folder}/backend.cfg",
                "--width",
                str(nx),
                "--height",
                str(ny),
                "--x-column",
                "X",
                "--y-column",
                "Y",
                "--sort-column",
                "FLUX",
                "--scale-units",
                "arcsecperpix",
                "--scale-low",
                str(0.8 * scale),
                "--scale-high",
                str(1.25 * scale),
                "--ra",
                str(at_ra + OFF_DEG),
                "--dec",
                str(at_dec),
                "--radius",
                "1",
                "--tweak-order",
                "3",
                "--cpulimit",
                "60",
            ],
            capture_output=True,
        )
        seconds = time.perf_counter() - start
        times.append(seconds if os.path.exists(f"{folder}/xy{k}.solved") else np.nan)
    return times
