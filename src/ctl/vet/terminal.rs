//! The terminal: taken for a sitting, asked what it can show, given back whatever happens.
//!
//! It is given back when a [`Screen`] is dropped, by the panic hook that ratatui sets, and, on
//! SIGTERM, SIGINT and SIGHUP, because the sitting sees [`is_ended`] and ends.

use std::io::{IsTerminal as _, Write as _};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::{execute, terminal::window_size};
use ratatui::layout::Rect;
use rustix::termios::{OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};

use super::answers::{self, Answers};
use super::picture::Kind;
use crate::ctl::{EXIT_STOPPED, HAS_SCREEN};

/// How long the terminal may take to answer; slow lines show half blocks.
const ANSWER_TIME: Duration = Duration::from_millis(600);
/// A read of answers waits as long [0.1 s], the unit of VTIME.
const READ_TIME_DS: u8 = 1;
/// Most bytes of answers.
const ANSWER_MAX_BYTES: usize = 4096;
/// Size of a character cell when nobody says it [px].
const CELL_PX: (u16, u16) = (8, 16);

/// Set by a signal that ends the program.
static IS_ENDED: AtomicBool = AtomicBool::new(false);

/// Whether a signal asked to end.
pub(super) fn is_ended() -> bool {
    IS_ENDED.load(Ordering::Relaxed)
}

/// The terminal during a sitting.
pub(super) struct Screen {
    /// Draws on it.
    pub(super) terminal: DefaultTerminal,
    /// What is written to it at the end.
    pub(super) farewell: String,
}

impl Screen {
    /// Takes the terminal.
    pub(super) fn open() -> anyhow::Result<Self> {
        if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
            bail!("this is no terminal: `vet --list` and `vet --set ID VERDICT` need none");
        }
        if std::env::var("TERM").is_ok_and(|term| term == "dumb") {
            bail!(
                "this terminal (TERM=dumb) has no screen: use `vet --list` and \
                 `vet --set ID VERDICT`"
            );
        }
        end_on_signals();
        let terminal = ratatui::try_init().context("cannot take the terminal")?;
        HAS_SCREEN.store(true, Ordering::Relaxed);
        let screen = Self { terminal, farewell: String::new() };
        // Pasted text must not be read as keys.
        execute!(std::io::stdout(), EnableBracketedPaste)
            .context("cannot write to the terminal")?;
        Ok(screen)
    }

    /// Empties it, so that the next drawing is a whole one.
    ///
    /// ratatui's own way asks for the cursor's place, and fails where nobody answers.
    pub(super) fn clear(&mut self) -> anyhow::Result<()> {
        let size = self.terminal.size().context("cannot measure the terminal")?;
        let area = Rect::new(0, 0, size.width, size.height);
        self.terminal.resize(area).context("cannot write to the terminal")
    }

    /// Asks for pictures and the size of a cell; what nobody answers is not there.
    pub(super) fn ask(&mut self) -> anyhow::Result<(Option<Kind>, (u16, u16))> {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let term = variable("TERM");
        let is_inside = !variable("TMUX").is_empty()
            || !variable("STY").is_empty()
            || term.starts_with("tmux")
            || term.starts_with("screen");
        // The Linux console shows a question that it does not know as text.
        let answers = listen(!is_inside && term != "linux").context("cannot ask the terminal")?;
        // Whatever the questions left on the screen goes.
        self.clear()?;
        let by_system = window_size().ok().and_then(|size| {
            let cell = |pixels: u16, cells: u16| pixels.checked_div(cells).filter(|&px| px > 0);
            Some((cell(size.width, size.columns)?, cell(size.height, size.rows)?))
        });
        let cell_px = answers.cell_px.or(by_system);
        let kind = match answers {
            Answers { has_kitty: true, .. } => Some(Kind::Kitty),
            Answers { has_sixel: true, .. } if cell_px.is_some() => Some(Kind::Sixel),
            _ => None,
        };
        Ok((kind, cell_px.unwrap_or(CELL_PX)))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut out = std::io::stdout();
        // A terminal that has gone cannot be told anything.
        drop(out.write_all(self.farewell.as_bytes()));
        drop(execute!(out, DisableBracketedPaste));
        ratatui::restore();
        HAS_SCREEN.store(false, Ordering::Relaxed);
    }
}

/// Puts the questions and reads until the last one is answered, or the time is over.
fn listen(asks_kitty: bool) -> anyhow::Result<Answers> {
    let input = std::io::stdin();
    let before = tcgetattr(input.as_fd())?;
    let mut timed = before.clone();
    timed.special_codes[SpecialCodeIndex::VMIN] = 0;
    timed.special_codes[SpecialCodeIndex::VTIME] = READ_TIME_DS;
    tcsetattr(input.as_fd(), OptionalActions::Now, &timed)?;
    let heard = hear(asks_kitty, input.as_fd());
    tcsetattr(input.as_fd(), OptionalActions::Now, &before)?;
    heard
}

fn hear(asks_kitty: bool, input: impl AsFd) -> anyhow::Result<Answers> {
    let mut out = std::io::stdout();
    out.write_all(answers::questions(asks_kitty).as_bytes())?;
    out.flush()?;
    let (began, mut bytes) = (Instant::now(), Vec::new());
    let mut answers = Answers::default();
    while !answers.is_complete && began.elapsed() < ANSWER_TIME && bytes.len() < ANSWER_MAX_BYTES {
        let mut piece = [0; 256];
        let n = rustix::io::retry_on_intr(|| rustix::io::read(&input, &mut piece))?;
        bytes.extend_from_slice(&piece[..n]);
        answers = answers::parse(&bytes);
    }
    Ok(answers)
}

/// Lets the first signal end the sitting in order, and the second one the process.
fn end_on_signals() {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = || -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut interrupt = signal(SignalKind::interrupt())?;
            let mut terminate = signal(SignalKind::terminate())?;
            let mut hang_up = signal(SignalKind::hangup())?;
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hang_up.recv() => {}
                }
                if IS_ENDED.swap(true, Ordering::Relaxed) {
                    ratatui::restore();
                    std::process::exit(i32::from(EXIT_STOPPED));
                }
            }
        })
    };
    std::thread::spawn(move || {
        // Without this thread a signal ends the process at once, and the shell mends the terminal.
        if let Err(error) = listen() {
            tracing::debug!(%error, "Signals end the process at once.");
        }
    });
}
