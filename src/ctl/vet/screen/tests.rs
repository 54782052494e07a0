//! The screen as text, at the smallest usual size and at a large one.

use std::time::Instant;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::super::dress::Depth;
use super::super::fixture::{cutouts, judged, open};
use super::super::picture::Kind;
use super::super::player::Control;
use super::*;
use crate::store::verdicts::Verdict;

/// A queue of three, the first one judged.
fn session() -> Session {
    let all = vec![judged(open("K7Q2MA"), "berta", Verdict::Real, 0.0), open("K7Q2MB"), open("C")];
    let mut session = Session::new("anna", all, || Ok("t".to_owned()));
    session.message = "K7Q2MA: asteroid, kept.".to_owned();
    session
}

struct Scene {
    session: Session,
    player: Player,
    sequence: Option<Sequence>,
    easel: Easel,
    dress: Dress,
    note: Option<Note>,
    has_help: bool,
}

impl Scene {
    fn new(dress: Dress) -> Self {
        let mut player = Player::new(Instant::now());
        player.begin(5, Instant::now());
        player.propose(Centring::OnObject);
        Self {
            session: session(),
            player,
            sequence: Sequence::new(&cutouts("A", 5), Centring::OnObject, false),
            easel: Easel::new(Kind::Shades, dress, (1, 2), 0),
            dress,
            note: None,
            has_help: false,
        }
    }

    /// The rows of the screen.
    fn rows(&mut self, columns: u16, rows: u16) -> Vec<String> {
        let night = NightId::new("2026-03-01").expect("a good name");
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a screen");
        let view = View {
            night: &night,
            session: &self.session,
            player: &self.player,
            sequence: self.sequence.as_ref(),
            easel: &mut self.easel,
            note: self.note.as_ref(),
            has_help: self.has_help,
            dress: self.dress,
        };
        terminal.draw(|frame| draw(frame, view)).expect("drawn");
        let buffer = terminal.backend().buffer();
        let row = |y| {
            let row: String = (0..columns).map(|x| buffer[(x, y)].symbol()).collect();
            row.trim_end().to_owned()
        };
        (0..rows).map(row).collect()
    }
}

#[test]
fn all_of_a_candidate_fits_on_a_terminal_of_80_by_24() {
    let mut scene = Scene::new(Dress::PLAIN);
    let rows = scene.rows(80, 24);
    assert_eq!(
        rows[0],
        " 2026-03-01: candidate 2, 1 of 3 judged, 2 open                            anna"
    );
    let right: Vec<String> = rows[1..22].iter().map(|row| row.chars().skip(41).collect()).collect();
    let expected = [
        "K7Q2MB  unknown object",
        "motion  0.512 +- 0.004 \"/min",
        "PA      271.3 deg, north through east",
        "mag     19.20 +- 0.04 G",
        "seen    5 of 6 frames, S/N 12.3",
        "fit     rms 0.09\", chi2 1.1",
        "chance  1e-9 such in a night, p 1e-9",
        "rating  real 0.93, NEO 12 of 100",
        "- looks like the stars of its frames",
        "- no star near",
        "UTC        mag  S/N  E, N off [\"]",
        "02:24:00 19.20   12  +0.01  -0.03",
    ];
    assert_eq!(right[..12], expected, "{rows:#?}");
    assert!(rows[21].starts_with("1/5 02:24:00 seen 3/s object"), "{}", rows[21]);
    assert_eq!(rows[22], "K7Q2MA: asteroid, kept.");
    assert!(rows[23].starts_with("<- artefact  -> asteroid  up unknown"), "{}", rows[23]);
    let picture: String = rows[1..21].iter().flat_map(|row| row.chars().take(40)).collect();
    assert!(picture.contains('@') && picture.contains('|'), "{rows:#?}");
    assert!(rows.iter().all(|row| row.is_ascii()), "{rows:#?}");
}

#[test]
fn a_large_terminal_shows_more() {
    let mut scene = Scene::new(Dress { depth: Depth::True, is_ascii: false });
    scene.easel = Easel::new(Kind::Blocks, scene.dress, (1, 2), 0);
    let rows = scene.rows(200, 60);
    let n_blocks = rows.iter().map(|row| row.matches('▀').count()).sum::<usize>();
    assert_eq!(n_blocks, 112 * 56, "56 rows of the picture and one of its caption");
    assert!(rows.iter().any(|row| row.contains("08 13 36.00 -05 36 00.0")), "{rows:#?}");
    assert!(rows[57].contains("frame-0.fits"), "{}", rows[57]);
    assert!(rows[59].contains("→ asteroid"), "{}", rows[59]);
}

#[test]
fn opinions_of_others_and_disagreement_are_told() {
    let mut scene = Scene::new(Dress::PLAIN);
    let both = judged(
        judged(open("X"), "berta", Verdict::Real, 0.0),
        "an\u{1b}[31mna",
        Verdict::False,
        1.0,
    );
    let mut session = Session::new("anna", vec![both], || Ok("t".to_owned()));
    session.previous();
    scene.session = session;
    let text = scene.rows(80, 24).join("\n");
    assert!(text.contains("People disagree:"), "{text}");
    assert!(text.contains("asteroid: berta, 2026-03-02 07:12"), "{text}");
    assert!(text.contains("artefact: an?[31mna"), "controls are not sent on: {text}");
}

#[test]
fn what_is_missing_is_said() {
    let mut scene = Scene::new(Dress::PLAIN);
    scene.sequence = None;
    let text = scene.rows(80, 24).join("\n");
    assert!(text.contains("no cut-outs") && text.contains("K7Q2MB"), "{text}");
    assert_eq!(scene.rows(59, 24)[0], "Needs 60 x 16 characters.");
    assert_eq!(scene.rows(5, 1)[0], "Needs");
    scene.session = Session::new("anna", Vec::new(), || Ok("t".to_owned()));
    assert!(scene.rows(80, 24).join("\n").contains("has no candidates"));
}

#[test]
fn the_player_says_what_it_does() {
    let mut scene = Scene::new(Dress::PLAIN);
    for control in [Control::Centre, Control::Subtract, Control::Back] {
        scene.player.control(control, Instant::now());
    }
    scene.sequence = Sequence::new(&cutouts("A", 5), Centring::OnSky, true);
    let rows = scene.rows(100, 30);
    assert!(rows[27].contains("5/5 03:21:36 NOT seen stopped sky minus sky"), "{rows:#?}");
    scene.has_help = true;
    let text = scene.rows(60, 20).join("\n");
    for (_, what) in KEYS {
        assert!(text.contains(what), "{what} is not in:\n{text}");
    }
    assert!(!text.contains("K7Q2MB"), "no candidate while the keys are shown");
}

#[test]
fn a_note_has_a_line_and_a_cursor() {
    let mut scene = Scene::new(Dress::PLAIN);
    let mut note = Note::default();
    note.paste("dark trail");
    scene.note = Some(note);
    let rows = scene.rows(80, 24);
    assert_eq!(rows[22], "note (enter keeps, esc leaves): dark trail");
}
