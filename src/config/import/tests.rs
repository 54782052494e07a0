//! Old files with the values they were shipped with (seeds.md 1.3, 1.18, 2.2, 2.4, 2.5, 3.2).

use std::path::Path;

use super::*;
use crate::config::Config;
use crate::config::check::Checker;
use crate::config::resolved::resolve;
use crate::config::settings::{Settings, Source};
use crate::pipeline::ingest::{ExtensionName, ForcedKind, FrameRules};

/// `config.autossos` as shipped.
const AUTOSSOS: &str = "# configuration\nINSTRUMENT  lsss   # or cafos\nFLIPSTAT True\n\
    RECALIB True\nMAX_MAG 16\nMIN_MAG 12\nMAX_MAGERR 0.1\nSIGM 2.5\nR2 0.98\n  indented is none\n";

/// `default.ssos` as shipped.
const SSOS: &str = "SCI_EXTENSION All\nWEIGHT_IMAGES False\nDATE-OBS DATE-OBS\nFILTER FILTER\n\
    EXPTIME EXPTIME\nSEX_CONFIG semp/ssos.sex\nSEX_PARAMS semp/ssos.param\n\
    SEX_FILTER semp/gauss_2.5_5x5.conv\nSEX_NNW semp/default.nnw\nSCAMP_CONFIG semp/ssos.scamp\n\
    REMOVE_REF_SOURCES False\nSWARP_CONFIG semp/ssos.swarp\nFILTER_DETEC True\n\
    DETECTIONS 1,2,3 # rejected\nFILTER_PM True\nPM_LOW 0\nPM_UP 300\nPM_SNR 0.5\n\
    FILTER_PIXEL True\nDELTA_PIXEL 2\nFILTER_MOTION True\nIDENTIFY_OUTLIER False\n\
    OUTLIER_THRESHOLD 2\nR_SQU_M 0.95\nFILTER_TRAIL False\nRATIO 0.25\n\
    FILTER_BRIGHT_SOURCES True\nBRIGHT_SOURCES_CAT REFCAT\nDISTANCE 50\nMAG_LIMITS -99,6\n\
    CROSSMATCH_SKYBOT True\nCROSSMATCH_RADIUS 10\nOBSERVATORY_CODE 500\nFOV_DIMENSIONS 0x0\n\
    EXTRACT_CUTOUTS True\nCUTOUT_SIZE 256\nFIXED_APER_MAGS False\nREFERENCE_FILTER gSDSS\n\
    CHECKPLOTS SKYBOT_RESIDUALS,SKYBOT_PM\n";

const SEX: &str = "CATALOG_TYPE FITS_LDAC\nDETECT_MINAREA 5\nDETECT_MAXAREA 0\n\
    THRESH_TYPE RELATIVE\nDETECT_THRESH 1.5\nANALYSIS_THRESH 1.5\nFILTER Y\nDEBLEND_NTHRESH 16\n\
    DEBLEND_MINCONT 0.05\nCLEAN Y\nCLEAN_PARAM 1.0\nMASK_TYPE CORRECT\nWEIGHT_TYPE BACKGROUND\n\
    RESCALE_WEIGHTS Y\nWEIGHT_GAIN Y\nPHOT_APERTURES 25\nPHOT_AUTOPARAMS 1.5,0.8\n\
    PHOT_PETROPARAMS 2.0,0.8\nPHOT_FLUXFRAC 0.5\nSATUR_LEVEL 60000\nSATUR_KEY SATURATE\n\
    MAG_ZEROPOINT 0\nGAIN 0.94\nGAIN_KEY GAIN\nPIXEL_SCALE 0\nSEEING_FWHM 1.2\nBACK_TYPE AUTO\n\
    BACK_SIZE 64\nBACK_FILTERSIZE 3\nBACKPHOTO_TYPE GLOBAL\nBACKPHOTO_THICK 24\n\
    CHECKIMAGE_TYPE NONE\nMEMORY_OBJSTACK 3000\nMEMORY_PIXSTACK 300000\nMEMORY_BUFSIZE 1024\n\
    INTERP_TYPE ALL\nINTERP_MAXXLAG 16\nINTERP_MAXYLAG 16\nVERBOSE_TYPE QUIET\nNTHREADS 1\n";

const CONV: &str = "CONV NORM\n# 5x5 gaussian\n\
    0.034673 0.119131 0.179633 0.119131 0.034673\n0.119131 0.409323 0.617200 0.409323 0.119131\n\
    0.179633 0.617200 0.930649 0.617200 0.179633\n0.119131 0.409323 0.617200 0.409323 0.119131\n\
    0.034673 0.119131 0.179633 0.119131 0.034673\n";

const SCAMP: &str = "ASTREF_CATALOG GAIA-DR2\nASTREF_BAND DEFAULT\nASTREFMAG_LIMITS -99,99\n\
    SAVE_REFCATALOG Y\nREFOUT_CATPATH .\nREF_TIMEOUT 10\nFULLOUTCAT_TYPE FITS_LDAC\n\
    MERGEDOUTCAT_TYPE FITS_LDAC\nMATCH N\nPIXSCALE_MAXERR 1.2\nPOSANGLE_MAXERR 5\n\
    POSITION_MAXERR 1\nMATCH_FLIPPED N\nMOSAIC_TYPE UNCHANGED\nCROSSID_RADIUS 10\n\
    SOLVE_ASTROM N\nPROJECTION_TYPE SAME\nASTRINSTRU_KEY FILTER,QRUNID\n\
    STABILITY_TYPE INSTRUMENT\nCENTROID_KEYS XWIN_IMAGE,YWIN_IMAGE\nDISTORT_DEGREES 3\n\
    FOCDISTORT_DEGREE 1\nASTREF_WEIGHT 1\nASTRACCURACY_TYPE SIGMA-PIXEL\nASTR_ACCURACY 0.054\n\
    ASTRCLIP_NSIGMA 1.5\nCOMPUTE_PROPERMOTIONS Y\nCOMPUTE_PARALLAXES N\n\
    CORRECT_COLOURSHIFTS N\nINCLUDE_ASTREFCATALOG Y\nASTR_FLAGSMASK 236\nFLAGS_MASK 236\n\
    WEIGHTFLAGS_MASK 0x00ff\nSOLVE_PHOTOM N\nMAGZERO_OUT 0\nPHOTINSTRU_KEY FILTER\n\
    MAGZERO_KEY PHOT_C\nEXPOTIME_KEY EXPTIME\nAIRMASS_KEY AIRMASS\nEXTINCT_KEY PHOT_K\n\
    PHOTFLUX_KEY FLUX_AUTO\nPHOT_ACCURACY 1e-3\nSN_THRESHOLDS 3,100\nFWHM_THRESHOLDS 0,100\n\
    ELLIPTICITY_MAX 1\nAHEADER_SUFFIX .ahead\nHEADER_SUFFIX .head\nNTHREADS 0\n";

const CAFOS: &str = "instname: cafos\nversion: 3.0\nrequirements:\n  INSTRUME: 'CAFOS 2.2'\n\
    masterkeywords:\n  - NAXIS1\nimagetypes:\n  bias:\n    executable: True\n\
    \x20   classification: calibration\n    requirements:\n      IMAGETYP: [bias]\n\
    \x20   requirementx:\n      EXPTIME: 0.0\n      QUANT975.LT.: 1000\n    signature: [CCDNAME]\n\
    \x20   maxtimespan_hours: 1\n  flat-imaging:\n    requirements:\n\
    \x20     IMAGETYP: [flat, domeflat, twilight]\n      INSGRID: GRISM-11\n\
    \x20   basicreduction: True\n  arc:\n    requirements:\n      IMAGETYP: [arc]\n\
    \x20 science-imaging:\n    requirements:\n      IMAGETYP: [science]\n\
    \x20   maxfieldview_arcmin: 16\n";

fn files(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn all_defaults() -> Imported {
    let all = [
        ("config.autossos", AUTOSSOS),
        ("default.ssos", SSOS),
        ("ssos.sex", SEX),
        ("gauss_2.5_5x5.conv", CONV),
        ("ssos.scamp", SCAMP),
    ];
    import(&files(&all)).expect("known files")
}

/// What a key became.
fn fates<'a>(imported: &'a Imported, key: &str) -> &'a [Fate] {
    &imported.keys.iter().find(|found| found.key == key).expect("the key is told").fates
}

/// A configuration file's text, checked.
fn resolved(text: &str) -> Config {
    let mut settings = Settings::default();
    settings.add(text, &Source::File(Path::new("autossos.toml")));
    let mistakes = settings.take_mistakes();
    assert!(mistakes.is_empty(), "{mistakes:?}\n{text}");
    let raw = settings.to_raw().expect("a configuration");
    resolve(raw, &Checker::new(&settings)).expect("values that hold")
}

#[test]
fn shipped_files_make_a_configuration_that_holds() {
    let imported = all_defaults();
    let n_lines: usize = [AUTOSSOS, SSOS, SEX, SCAMP]
        .iter()
        .map(|text| text.lines().filter(|l| l.starts_with(|c: char| c.is_alphabetic())).count())
        .sum();
    // Every line is told of, and the filter as a whole.
    assert_eq!(imported.keys.len(), n_lines + 1);
    let lost: Vec<&ImportedKey> = imported.not_taken().collect();
    assert!(lost.is_empty(), "{lost:#?}");
    let text = imported.to_toml();
    let config = resolved(&text);
    assert!(
        (config.night_params().link_night.link.score.rate_max_arcsec_per_h - 6000.0).abs() < 1e-9
    );
    for line in [
        "rate_up_arcsec_per_h = 300.0",
        "unwanted_detections = \"1,2,3\"",
        "chain = [\"detections\", \"proper_motion\", \"motion\", \"pixel\", \"bright_sources\"]",
        "bright_mag_max = 6.0",
        "radius_arcsec = 10.0",
        "profile = \"lsss\"",
        "scale_range = 0.2",
        "release = \"gaia-dr2\"",
        "side_px = 255",
        "# PM_UP 300 of default.ssos",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
}

#[test]
fn thresholds_are_told_in_the_unit_of_the_filtered_frame() {
    let imported = all_defaults();
    // (sum k)^2 / sum k^2 of the kernel is 13.94, its root 3.73: 1.5 sigma are 5.6.
    let [Fate::NotNeeded(why)] = fates(&imported, "DETECT_THRESH") else { panic!("not needed") };
    assert!(why.contains("5.6 sigma of the filtered frame"), "{why}");
    let plain = import(&files(&[("a.sex", "DETECT_THRESH 5\nFILTER N\n")])).expect("a file");
    let [Fate::NotNeeded(why)] = fates(&plain, "DETECT_THRESH") else { panic!("not needed") };
    assert!(why.contains("5.0 sigma of the filtered frame"), "{why}");
}

#[test]
fn nothing_is_dropped_without_a_word() {
    let text = "FLIPSTAT True\nMAX_MAG sixteen\nINSTRUMENT other\nNONSENSE 3\n";
    let imported = import(&files(&[("config.autossos", text)])).expect("a file");
    assert!(matches!(fates(&imported, "MAX_MAG"), [Fate::Refused(_)]));
    assert!(matches!(fates(&imported, "INSTRUMENT"), [Fate::Refused(_)]));
    assert_eq!(fates(&imported, "NONSENSE"), [Fate::Unknown]);
    let toml = imported.to_toml();
    assert!(toml.contains("NONSENSE 3") && toml.contains("no such key is known"), "{toml}");
    assert!(matches!(import(&files(&[("x.txt", "hello world\n")])), Err(ImportError::Kind { .. })));
    // Outliers of the time axis are grouped only where that was switched on.
    let grouped = "FILTER_DETEC True\nIDENTIFY_OUTLIER True\nOUTLIER_THRESHOLD 3\n";
    let imported = import(&files(&[("default.ssos", grouped)])).expect("a file");
    let set = Fate::Set { key: "filter.gap_factor", value: "3.0".to_owned() };
    assert_eq!(fates(&imported, "OUTLIER_THRESHOLD"), [set]);
}

#[test]
fn cut_outs_can_be_switched_off() {
    let text = import(&files(&[("default.ssos", "FILTER_DETEC True\nEXTRACT_CUTOUTS False\n")]))
        .expect("a file")
        .to_toml();
    assert_eq!(resolved(&text).cutouts.candidates_max, 0);
}

#[test]
fn the_later_file_counts() {
    let two = [("a.sex", "DETECT_THRESH 1\nBACK_SIZE 64\n"), ("b.sex", "BACK_SIZE 128\n")];
    let text = import(&files(&two)).expect("two files").to_toml();
    assert!(text.contains("= 128") && !text.contains("= 64"), "{text}");
}

#[test]
fn an_instrument_becomes_a_profile() {
    let imported = import(&files(&[("configuration_cafos.yaml", CAFOS)])).expect("an instrument");
    let [made] = &imported.made[..] else { panic!("one profile") };
    assert_eq!(made.file, "cafos.toml");
    let profile = crate::pipeline::ingest::Profile::parse(&made.toml).expect(&made.toml);
    assert_eq!(profile.kind.bias, ["bias"]);
    assert_eq!(profile.kind.flat, ["flat", "domeflat", "twilight"]);
    assert_eq!(
        (&profile.kind.science[..], &profile.kind.ignored[..]),
        (&["science".to_owned()][..], &["arc".to_owned()][..])
    );
    assert_eq!(profile.matches[0].all[0].values, ["cafos 2.2"]);
    // What a profile cannot ask is refused and told.
    assert!(matches!(fates(&imported, "flat-imaging.INSGRID"), [Fate::Refused(_)]));
    let setup = "instrument: lsss\ndatadir: /data/raw\ngaiadr_source: gaiadr3.gaia_source\n\
                 tweak_order_astrometry: 2\nstrange: 1\n";
    let imported = import(&files(&[("setup_filabres.yaml", setup)])).expect("a setup");
    let text = imported.to_toml();
    assert!(text.contains("incoming = \"/data/raw\"") && text.contains("strange 1"), "{text}");
    let lists = "night: '170225_t2_CAFOS'\nenabled: True\nfiles:\n  - focus*.fits\n---\n\
        night: n2\nenabled: True\nfiles: ['a?.fits']\nreplace-keyword:\n  - IMAGETYP: flat\n\
        \x20 - EXPTIME: 2.5\n---\nnight: n3\nenabled: False\nfiles: [b*]\n---\nnight: n4\n\
        files: [c*]\nclassification: flat-imaging\n";
    let imported = import(&files(&[("image_lists.yaml", lists)])).expect("lists");
    let rules = FrameRules::parse(&imported.made[0].toml).expect("rules").rule;
    assert_eq!(rules.len(), 3);
    assert!(rules[0].ignore && !rules[1].ignore && rules[1].set.len() == 2);
    assert_eq!(rules[2].kind, Some(ForcedKind::Flat));
    assert!(imported.to_toml().contains("rules_files = [\"image_lists.toml\"]"));
    assert!(matches!(
        import(&files(&[("a.yaml", "instname: [\n")])),
        Err(ImportError::Yaml { .. })
    ));
}

#[test]
fn each_setting_of_the_shipped_files_has_its_old_name() {
    let names = old_names();
    let is_listed = |kind: OldKind, old: &str, key: &str| {
        names.iter().any(|name| name.kind == kind && name.old == old && name.key == key)
    };
    for (name, text) in [("config.autossos", AUTOSSOS), ("default.ssos", SSOS), ("a.sex", SEX)] {
        let imported = import(&files(&[(name, text)])).expect("a known file");
        let kind = imported.files[0].1;
        for key in &imported.keys {
            for fate in &key.fates {
                if let Fate::Set { key: new, .. } = fate {
                    assert!(is_listed(kind, &key.key, new), "{} of {name}: {new}", key.key);
                }
            }
        }
    }
    assert!(is_listed(OldKind::Scamp, "POSITION_MAXERR", "astrometry.pointing_err_deg"));
    assert!(is_listed(OldKind::Ssos, "FILTER_PM", "filter.chain"));
    let is_key = |name: &OldName| {
        let (section, key) = name.key.split_once('.').expect("section and name");
        crate::config::known_keys()
            .iter()
            .any(|known| known.section == section && known.name == key)
    };
    assert!(names.iter().all(is_key), "{names:?}");
}

#[test]
fn extensions_weights_and_apertures_of_ssos_are_settings() {
    let text = "SCI_EXTENSION 1,3\nWEIGHT_IMAGES /data/weights\nFIXED_APER_MAGS True\n\
        REFERENCE_FILTER gSDSS,rSDSS\nREMOVE_REF_SOURCES True\nFILTER_DETEC True\n";
    let imported = import(&files(&[("default.ssos", text)])).expect("a file");
    assert_eq!(imported.not_taken().count(), 0, "{:?}", imported.keys);
    let config = resolved(&imported.to_toml());
    assert_eq!(config.instrument.extensions, [ExtensionName::Number(1), ExtensionName::Number(3)]);
    assert_eq!(config.calibrate.weight_dir.as_deref(), Some(Path::new("/data/weights")));
    let fixed = config.photometry.fixed_apertures().expect("wanted");
    assert_eq!(fixed.filters, ["gSDSS", "rSDSS"]);
    assert!(matches!(fates(&imported, "REMOVE_REF_SOURCES"), [Fate::NotNeeded(_)]));
    let odd = import(&files(&[("default.ssos", "SCI_EXTENSION SCI\nFILTER_DETEC True\n")]));
    assert!(matches!(fates(&odd.expect("a file"), "SCI_EXTENSION"), [Fate::Refused(_)]));
}
