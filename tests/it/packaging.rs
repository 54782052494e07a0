//! What is installed fits together: unit, folders, configuration, package, manual.
//!
//! `.ci/install` installs the package in a clean system and starts the service there; what can be
//! seen in the files alone is looked at here.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use autossos::config::{Config, DEFAULT_TOML, load};

use crate::tree::root;

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Settings of the unit, in order; several of a name are several lines.
fn unit() -> BTreeMap<String, Vec<String>> {
    let mut settings: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text("systemd/autossosd.service").lines().filter(|line| !line.starts_with('#')) {
        if let Some((name, value)) = line.split_once('=') {
            settings.entry(name.to_owned()).or_default().push(value.to_owned());
        }
    }
    settings
}

fn packaged() -> Config {
    let path = root().join("config/packaged.toml");
    load(Some(&path), &[], std::iter::empty()).unwrap_or_else(|e| panic!("{e}"))
}

fn ctl(words: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_autossosctl")).args(words).output();
    output.expect("the program starts")
}

#[test]
fn the_installed_configuration_fits_the_unit() {
    let (config, unit) = (packaged(), unit());
    let is_own = |setting: &str, path: &std::path::Path, above: &str| {
        let folder = std::path::Path::new(above).join(&unit[setting][0]);
        assert!(path.starts_with(&folder), "{} is not below {setting}", path.display());
    };
    is_own("StateDirectory", &config.daemon.data, "/var/lib");
    is_own("RuntimeDirectory", config.daemon.socket.as_deref().expect("a socket"), "/run");
    let incoming = config.daemon.incoming.expect("an incoming folder").display().to_string();
    let made = text("systemd/autossos.tmpfiles");
    assert!(made.lines().any(|line| line.starts_with("d ") && line.contains(&incoming)), "{made}");
    assert!(config.daemon.metrics_listen.is_some());

    let credential = config.mail.password_credential.expect("a credential");
    assert!(unit["LoadCredential"][0].starts_with(&format!("{credential}:/etc/autossos/")));
    assert!(unit["SetCredential"][0].starts_with(&format!("{credential}:")));
    for name in ["User", "Group"] {
        let users = text("systemd/autossos.sysusers");
        assert!(users.contains(&format!("u     {} ", unit[name][0])), "{users}");
    }
}

#[test]
fn the_watchdog_is_slower_than_the_work() {
    let period = unit()["WatchdogSec"][0].strip_suffix("min").map(str::parse::<f64>);
    let period_s = 60.0 * period.expect("minutes").expect("a number");
    let config = packaged();
    assert!(period_s > 1.5 * config.run.frame_time_max_s, "{period_s} s: a slow frame");
    assert!(period_s > 2.0 * config.daemon.rescan_s, "{period_s} s: an idle service");
}

#[test]
fn the_unit_starts_what_the_package_installs() {
    let manifest: toml::Table = text("Cargo.toml").parse().expect("valid TOML");
    let deb = &manifest["package"]["metadata"]["deb"];
    let assets = deb["assets"].as_array().expect("a list");
    let mut installed = Vec::new();
    for asset in assets {
        let part = |i: usize| asset[i].as_str().expect("a text");
        let (from, to) = (part(0), part(1));
        let (folder, name) = from.rsplit_once('/').unwrap_or((".", from));
        // What the build makes is looked at by `.ci/install`.
        if !from.starts_with("target/") && !name.starts_with('*') {
            assert!(root().join(from).is_file(), "{from} is not there");
        }
        assert!(from.starts_with("target/") || root().join(folder).is_dir(), "{from}");
        let is_folder = to.ends_with('/');
        installed.push(if is_folder { format!("/{to}{name}") } else { format!("/{to}") });
    }
    let unit = unit();
    for command in ["ExecStart", "ExecStartPre"].iter().flat_map(|name| &unit[*name]) {
        for word in command.trim_start_matches('-').split(' ').filter(|w| w.starts_with('/')) {
            assert!(installed.iter().any(|path| path == word), "{word} is not installed");
        }
    }
    assert_eq!(unit["RestartPreventExitStatus"], ["78"]);
    assert_eq!(deb["default-features"].as_bool(), Some(false), "Debian's libraries");
}

#[test]
fn the_manual_has_a_page_for_each_program_and_the_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("manual");
    let output = ctl(&["man", "--to", to.to_str().expect("UTF-8")]);
    assert!(output.status.success(), "{output:?}");
    for (page, told) in [
        ("autossosctl.1", "autossosctl\\-status(1)"),
        ("autossosctl-status.1", ".SH OPTIONS"),
        ("autossosd.8", "\\-\\-check\\-config"),
        ("autossos.toml.5", "close_after_min"),
    ] {
        let text = std::fs::read_to_string(to.join(page)).unwrap_or_else(|e| panic!("{page}: {e}"));
        assert!(text.contains(told), "{page}: no {told} in\n{text}");
    }
    assert!(!to.join("autossosctl-man.1").exists(), "a hidden verb has no page");
    let page = std::fs::read_to_string(to.join("autossos.toml.5")).expect("the page");
    for section in DEFAULT_TOML.lines().filter(|line| line.starts_with('[')) {
        assert!(page.contains(&format!("\n.SH {section}\n")), "no section {section}");
    }
}

#[test]
fn shells_complete_the_verbs() {
    for (shell, told) in [
        ("bash", "complete -F _autossosctl"),
        ("zsh", "#compdef autossosctl"),
        ("fish", "complete -c autossosctl"),
    ] {
        let output = ctl(&["completions", shell]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains(told), "{shell}: {output:?}");
        assert!(text.contains("export") && text.contains("status"), "{shell}: {text}");
    }
    assert_eq!(ctl(&["completions", "csh"]).status.code(), Some(2));
}
