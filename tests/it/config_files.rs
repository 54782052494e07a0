//! The example configurations and the unit file say what the programs understand.

use autossos::config::{DEFAULT_TOML, load};

use crate::tree::{files, root};

#[test]
fn each_example_is_accepted() {
    let examples = files(&["config/examples"], &["toml"]);
    assert!(examples.len() >= 3, "no examples below {}", root().display());
    for example in examples {
        if let Err(error) = load(Some(&root().join(&example.path)), &[], std::iter::empty()) {
            panic!("{}: {error}", example.path);
        }
        assert!(example.text.starts_with("# "), "{} does not say whom it is for", example.path);
    }
}

#[test]
fn each_key_of_an_example_differs_from_the_built_in_value() {
    // An example that repeats a default will be wrong when the default changes.
    let shipped: Vec<&str> = DEFAULT_TOML.lines().filter(|l| l.contains(" = ")).collect();
    for example in files(&["config/examples"], &["toml"]) {
        for line in example.text.lines().filter(|l| l.contains(" = ") && !l.starts_with('#')) {
            assert!(!shipped.contains(&line), "{}: {line}", example.path);
        }
    }
}
