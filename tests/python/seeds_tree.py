"""Opens the exported tree of a night with astropy and checks what old scripts rely on.

usage: seeds_tree.py TREE PRODUCTS

TREE is the folder of `export --format seeds`, PRODUCTS the night's folder of products. Columns,
order and units are those of the seeds' description (sections 1.10, 1.13, 1.14, 2.4, 2.6, 2.11).
Ends with status 0 and the line "all of it opens", or with the first thing that is wrong.
"""

import csv
import glob
import os
import sys
import warnings

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import ascii as tables
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

warnings.filterwarnings("ignore")

SSOS = """SOURCE_NUMBER CATALOG_NUMBER RA DEC EPOCH MAG MAGERR FLUX FLUXERR PM PMERR PMRA PMRA_ERR
PMDEC PMDEC_ERR MID_EXPOSURE_MJD DATE-OBS EXPTIME OBJECT FILTER RA_IMAGE DEC_IMAGE MATCHED
SKYBOT_NUMBER SKYBOT_NAME SKYBOT_CLASS SKYBOT_MAG SKYBOT_RA SKYBOT_DEC SKYBOT_PMRA SKYBOT_PMDEC
SKYBOT_DELTARA SKYBOT_DELTADEC IMAGE_FILENAME EXTENSION XWIN_IMAGE YWIN_IMAGE AWIN_IMAGE
ERRAWIN_IMAGE BWIN_IMAGE ERRBWIN_IMAGE THETAWIN_IMAGE ERRTHETAWIN_IMAGE ERRA_WORLD ERRB_WORLD
ERRTHETA_WORLD FLAGS_EXTRACTION FLAGS_SCAMP FLAGS_IMA FLAGS_SSOS INSPECTED ASTEROID UNKNOWN
MAG_CALIB MAG_CALIB_ERR""".split()
CALIB = SSOS + ["R2", "PHOT_OUTLIER"]
STATS = "Name,Mean,SD,Median,MAD,Outlier,Night".split(",")
FIT = "Catalog Number,Intercept,Int_err,Slope,Slope_err,R2,N tot,N fit,Epoch".split(",")
# Name, FITS type and unit.
FULL = """SOURCE_NUMBER:J: CATALOG_NUMBER:J: EXTENSION:I: ASTR_INSTRUM:I: PHOT_INSTRUM:I:
X_IMAGE:D:pixel Y_IMAGE:D:pixel ERRA_IMAGE:E:pixel ERRB_IMAGE:E:pixel ERRTHETA_IMAGE:E:deg
ALPHA_J2000:D:deg DELTA_J2000:D:deg ERRA_WORLD:E:deg ERRB_WORLD:E:deg ERRTHETA_WORLD:E:deg
EPOCH:D:yr MAG:E:mag MAGERR:E:mag FLAGS_EXTRACTION:I: FLAGS_SCAMP:I: FLAGS_IMA:J:"""
FULL = [tuple(word.split(":")) for word in FULL.split()]
MERGED = """SOURCE_NUMBER NPOS_TOTAL NPOS_OK ALPHA_J2000 DELTA_J2000 ERRA_WORLD ERRB_WORLD
ERRTHETA_WORLD DISPALPHA_J2000 DISPDELTA_J2000 PMALPHA_J2000 PMDELTA_J2000 PMALPHAERR_J2000
PMDELTAERR_J2000 PARALLAX_WORLD PARALLAXERR_WORLD CHI2_ASTROM EPOCH EPOCH_MIN EPOCH_MAX NMAG MAG
MAGERR MAG_DISP COLOR FLAGS_EXTRACTION FLAGS_SCAMP FLAGS_IMA""".split()
MILLIARCSECOND_DEG = 1e-3 / 3600.0


def check(is_right, what):
    if not is_right:
        sys.exit(f"wrong: {what}")


def only(pattern):
    found = sorted(glob.glob(pattern))
    check(len(found) == 1, f"{pattern} is {found}")
    return found[0]


def forms(columns):
    """Name, type without the count of one, and unit of the columns of a FITS table."""
    return [(c.name, c.format.lstrip("1"), c.unit or "") for c in columns]


def header_of(hdus, index):
    """The frame's header that an LDAC table of one cell holds."""
    lines = np.atleast_1d(hdus[index].data["Field Header Card"][0])
    # Blanks at their ends are taken off.
    return fits.Header.fromstring("".join(f"{line:80}" for line in lines))


def same_places(wcs, x, y, ra, dec, what):
    """Pixels from 1 and places [deg] belong together to a milliarcsecond."""
    at = wcs.all_pix2world(np.column_stack([x, y]), 1)
    off_ra = (at[:, 0] - ra + 180.0) % 360.0 - 180.0
    off = np.hypot(off_ra * np.cos(np.radians(dec)), at[:, 1] - dec)
    check(len(off) > 5 and off.max() < MILLIARCSECOND_DEG, f"{what}: {off.max() * 3.6e6} mas")
    return off.max() * 3.6e6


def texts(cats):
    stamps = set()
    for start, wanted in [("ssos", SSOS), ("calib_ssos", CALIB), ("validcalib_ssos", CALIB)]:
        path = only(f"{cats}/{start}_*.csv")
        stamps.add(os.path.basename(path)[len(start) + 1 : -4])
        with open(path, newline="") as file:
            rows = list(csv.reader(file))
        check(rows[0] == wanted, f"columns of {path}: {rows[0]}")
        table = tables.read(path, format="csv")
        check(len(table) == len(rows) - 1 and len(table) > 3, f"rows of {path}")
        for name in ["MATCHED", "INSPECTED", "ASTEROID", "UNKNOWN"]:
            check(set(map(str, table[name])) <= {"True", "False"}, f"{name} of {path}")
        for name in ["SOURCE_NUMBER", "CATALOG_NUMBER", "EXTENSION", "FLAGS_SSOS"]:
            check(table[name].dtype.kind == "i", f"{name} of {path} is no whole number")
        # RA and DEC in degrees, PM in arcsec/h: motion between first and last detection.
        for source in set(table["SOURCE_NUMBER"]):
            one = table[table["SOURCE_NUMBER"] == source]
            check(list(one["EPOCH"]) == sorted(one["EPOCH"]), "order of epochs")
            hours = 24.0 * (one["MID_EXPOSURE_MJD"][-1] - one["MID_EXPOSURE_MJD"][0])
            places = SkyCoord(one["RA"], one["DEC"], unit="deg")
            moved = places[0].separation(places[-1]).arcsec
            # Places of faint objects have errors of some tenths of an arcsecond.
            check(abs(moved / hours - one["PM"][0]) < 2.0 / hours, f"PM of source {source}")
            year = 2000.0 + (one["MID_EXPOSURE_MJD"][0] - 51544.5) / 365.25
            check(abs(year - one["EPOCH"][0]) * 365.25 * 86400.0 < 100.0, "EPOCH of a source")
    check(len(stamps) == 1 and len(stamps.pop()) == 14, "one stamp of 14 digits")
    fit = tables.read(f"{cats}/coeff_fit.csv", format="csv")
    check(fit.colnames == FIT and len(fit) > 3, f"coeff_fit.csv: {fit.colnames}")
    check(np.all(np.diff(fit["Epoch"]) > 0.0), "coeff_fit.csv: epochs rise")
    return {int(row["Catalog Number"]): (row["Intercept"], row["Slope"]) for row in fit}


def scamp_catalogues(cats, numbers):
    with fits.open(f"{cats}/full_1.cat") as hdus:
        check([h.name for h in hdus[1:]] == ["LDAC_IMHEAD", "LDAC_OBJECTS"], "HDUs of full_1.cat")
        check(forms(hdus[2].columns) == FULL, f"full_1.cat: {forms(hdus[2].columns)}")
        full = Table(hdus[2].data)
    check(header_of(fits.open(f"{cats}/full_1.cat"), 1)["NAXIS1"] > 0, "header of full_1.cat")
    check(list(full["SOURCE_NUMBER"]) == sorted(full["SOURCE_NUMBER"]), "order of full_1.cat")
    stars = full[full["CATALOG_NUMBER"] == 0]
    check(len(stars) > 5 and np.all(stars["MAG"] > 5.0), "catalogue stars of full_1.cat")
    with fits.open(f"{cats}/merged_1.cat") as hdus:
        check(list(hdus[2].columns.names) == MERGED, f"merged_1.cat: {hdus[2].columns.names}")
        merged = Table(hdus[2].data)
    shown = full[full["CATALOG_NUMBER"] > 0]
    check(len(merged) == len(set(shown["SOURCE_NUMBER"])), "a row a source in merged_1.cat")
    # A table with names in small letters and in capitals, as Automatic-SSOs writes it.
    with fits.open(f"{cats}/match_full_1.cat") as hdus:
        names = [c.name for c in hdus[1].columns]
        wanted = [n.lower() for n, _, _ in FULL] + [n for n, _, _ in FULL] + ["Sep"]
        check(names == wanted, f"match_full_1.cat: {names}")
        check(hdus[1].columns[-1].unit == "arcsec", "unit of Sep")
        cell = {name: np.array(hdus[1].data.field(k)) for k, name in enumerate(names)}
    here = SkyCoord(cell["ALPHA_J2000"], cell["DELTA_J2000"], unit="deg")
    star = SkyCoord(cell["alpha_j2000"], cell["delta_j2000"], unit="deg")
    check(len(here) > 20, "rows of match_full_1.cat")
    check(np.allclose(here.separation(star).arcsec, cell["Sep"], atol=1e-4), "Sep")
    check(cell["Sep"].max() <= 1.0, "largest Sep")
    check(set(cell["CATALOG_NUMBER"]) <= set(numbers), "numbers of coeff_fit.csv and match_full_1.cat")
    # The same light in both: zero points of a frame scatter little.
    for number in set(cell["CATALOG_NUMBER"]):
        zero = (cell["mag"] - cell["MAG"])[cell["CATALOG_NUMBER"] == number]
        check(np.median(np.abs(zero - np.median(zero))) < 0.2, f"magnitudes of frame {number}")
        # The line of coeff_fit.csv belongs to MAG, where enough stars were in its range.
        intercept, slope = numbers[number]
        if slope != 0.0:
            here = cell["CATALOG_NUMBER"] == number
            off = np.median(intercept + slope * cell["MAG"][here] - cell["mag"][here])
            check(abs(off) < 0.15, f"coeff_fit.csv of frame {number}: off by {off:.3f} mag")


def frames(cats, products):
    worst = 0.0
    paths = [p for p in sorted(glob.glob(f"{cats}/*.cat")) if p[: -len(".cat")][-2:] != "_1"]
    check(len(paths) > 3, f"frames' catalogues: {paths}")
    for path in paths:
        with fits.open(path) as hdus:
            data, header = hdus[2].data, header_of(hdus, 1)
            check("TPV" in header["CTYPE1"] or "TAN" in header["CTYPE1"], "projection")
            units = {c.name: c.unit for c in hdus[2].columns}
            check(units["FLUX_AUTO"] == "count" and units["XWIN_IMAGE"] == "pixel", "units")
            worst = max(worst, same_places(
                WCS(header), data["XWIN_IMAGE"], data["YWIN_IMAGE"], data["ALPHAWIN_J2000"],
                data["DELTAWIN_J2000"], path))
        head = open(path[:-4] + ".head").read()
        solved = fits.Header.fromstring(head, sep="\n")
        check(solved["CRVAL1"] == header["CRVAL1"], "the .head has the solution")
        check("MJD-OBS" in open(path[:-4] + ".ahead").read(), "the .ahead has the time")
    # The products themselves: SIP or TPV as configured.
    for path in sorted(glob.glob(f"{products}/catalogue/*.cat.fits")):
        image = path.replace("/catalogue/", "/calibrated/").replace(".cat.fits", ".fits")
        data = fits.getdata(path, 1)
        worst = max(worst, same_places(WCS(fits.getheader(image)), data["XWIN_IMAGE"],
                                       data["YWIN_IMAGE"], data["RA"], data["DEC"], image))
    return worst


def stamps(main, cats):
    table = tables.read(only(f"{cats}/ssos_*.csv"), format="csv")
    found = sorted(glob.glob(f"{main}/cutouts/*.fits"))
    check(len(found) > 3, "cut-outs")
    for path in found:
        source, number = map(int, os.path.basename(path)[: -len(".fits")].split("_"))
        row = (table["SOURCE_NUMBER"] == source) & (table["CATALOG_NUMBER"] == number)
        check(np.sum(row) == 1, f"the row of {path}")
        with fits.open(path) as hdus:
            header, image = hdus[0].header, hdus[0].data
        for key in ["OBJECT", "RA", "DEC", "FILTER", "DATE-OBS"]:
            check(key in header, f"{key} of {path}")
        x, y = WCS(header).all_world2pix(table["RA"][row][0], table["DEC"][row][0], 0)
        middle = (image.shape[1] - 1) / 2.0
        check(np.hypot(x - middle, y - middle) < 3.0, f"{path} is centred on the object")


def main(tree, products):
    main_folder, cats = f"{tree}/SSOS", f"{tree}/SSOS/cats"
    stats = tables.read(f"{main_folder}/Stats.dat", format="csv")
    check(stats.colnames == STATS and len(stats) > 3, f"Stats.dat: {stats.colnames}")
    check(set(map(str, stats["Outlier"])) <= {"True", "False"}, "Outlier of Stats.dat")
    numbers = texts(cats)
    scamp_catalogues(cats, numbers)
    worst = frames(cats, products)
    stamps(main_folder, cats)
    pictures = glob.glob(f"{main_folder}/checkplots/*.png")
    check(any("/R2_ev_" in p for p in pictures), "R2_ev_*.png")
    check(any("/bad_phot_" in p for p in pictures), "bad_phot_*.png")
    for path in pictures:
        check(open(path, "rb").read(8) == b"\x89PNG\r\n\x1a\n", f"{path} is a PNG")
    print(f"places agree to {worst:.2g} mas; all of it opens")


if __name__ == "__main__":
    main(*sys.argv[1:3])
