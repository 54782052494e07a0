//! What the retention finds in the product folders, and what it cannot reach.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::super::prune::FoundProduct;
use super::super::stages::{StageOutcome, StageRow};
use super::super::{ProductFile, ProductKind, Store};
use super::{at, closing, night, open};

fn found(store: &Store, kind: ProductKind) -> Vec<String> {
    let found = store.products().found(&night(), kind).expect("found");
    found.into_iter().map(|file| file.relative.to_string_lossy().into_owned()).collect()
}

#[test]
fn links_and_half_files_are_not_found_and_links_not_followed() {
    let folder = tempfile::tempdir().expect("folder");
    let outside = tempfile::tempdir().expect("folder");
    let precious = outside.path().join("raw.fits");
    std::fs::write(&precious, b"raw").expect("written");
    let store = open(folder.path());
    assert_eq!(found(&store, ProductKind::Calibrated), [""; 0], "no folder yet");
    let products = folder.path().join("products/2026-03-01");
    let calibrated = products.join("calibrated");
    ProductFile::write_bytes(&calibrated.join("a.fits"), b"pixels").expect("written");
    std::fs::write(calibrated.join(".tmp-1-0-b.fits"), b"half").expect("written");
    symlink(&precious, calibrated.join("c.fits")).expect("linked");
    std::fs::create_dir(calibrated.join("d.fits")).expect("a folder");
    symlink(outside.path(), products.join("catalogue")).expect("linked");
    assert_eq!(found(&store, ProductKind::Calibrated), ["products/2026-03-01/calibrated/a.fits"]);
    assert_eq!(found(&store, ProductKind::Catalogue), [""; 0], "the folder is a link");

    // Even asked to, it removes neither through a link nor what a link points to.
    let asked = |name: &str| FoundProduct {
        relative: PathBuf::from(name),
        size_bytes: 3,
        changed: at(0.0),
    };
    let remove = |kind, name| store.products().remove(&night(), kind, &asked(name));
    remove(ProductKind::Catalogue, "products/2026-03-01/catalogue/raw.fits").expect("nothing");
    remove(ProductKind::Calibrated, "../../../raw.fits").expect("nothing");
    remove(ProductKind::Calibrated, "x/c.fits").expect("the link itself");
    assert!(precious.exists());
    remove(ProductKind::Calibrated, "products/2026-03-01/calibrated/a.fits").expect("removed");
    remove(ProductKind::Calibrated, "products/2026-03-01/calibrated/a.fits").expect("gone");
    assert!(!calibrated.join("a.fits").exists());
}

#[test]
fn names_of_products_are_found_in_rows_and_payloads() {
    let folder = tempfile::tempdir().expect("folder");
    let store = open(folder.path());
    let row = |subject: &str, product: Option<&str>, payload: &str| StageRow {
        subject: subject.to_owned(),
        stage: "frame".to_owned(),
        version: 1,
        key: "k".to_owned(),
        outcome: StageOutcome::Done,
        product: product.map(PathBuf::from),
        payload: payload.to_owned(),
    };
    let payload = r#"{"a": [{"mask": "products/n/calibrated/m"}, "productsx/no"], "b": "x"}"#;
    store.record_stage(&night(), row("h1", Some("products/n/c"), payload)).expect("kept");
    store.record_stage(&night(), row("h2", None, "{}")).expect("kept");
    let names = store.read().named_products(&night()).expect("read").expect("all readable");
    let names: Vec<&Path> = names.iter().map(PathBuf::as_path).collect();
    assert_eq!(names, [Path::new("products/n/c"), Path::new("products/n/calibrated/m")]);
    store.record_stage(&night(), row("h3", None, "no JSON")).expect("kept");
    assert_eq!(store.read().named_products(&night()).expect("read"), None);

    assert_eq!(store.read().closed_nights().expect("read"), []);
    store.close_night(&night(), closing(), at(10.0)).expect("closed");
    assert_eq!(store.read().closed_nights().expect("read"), [(night(), at(10.0))]);
}
