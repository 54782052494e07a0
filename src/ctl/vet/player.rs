//! Which frame of a sequence is shown, and how.

use std::time::{Duration, Instant};

use crate::pipeline::artifact::cutouts::Centring;

/// Frames per second to choose from.
const SPEEDS: [f64; 8] = [0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0];
/// The one at the start.
const SPEED_AT_START: usize = 3;

/// A change to the player.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    /// Stop, or go on.
    Pause,
    /// Next frame; stops.
    Forward,
    /// Frame before; stops.
    Back,
    /// More frames per second.
    Faster,
    /// Fewer.
    Slower,
    /// The other thing stands still.
    Centre,
    /// Static sky taken off, or not.
    Subtract,
    /// Dark on bright, or back.
    Inverse,
    /// Marks or none.
    Marks,
}

/// How the sequence is shown; kept from candidate to candidate but for the place.
#[derive(Debug)]
pub(super) struct Player {
    /// Frame shown, from 0.
    pub(super) index: usize,
    n_frames: usize,
    speed: usize,
    since: Instant,
    /// Whether it stands.
    pub(super) is_paused: bool,
    /// What stands still.
    pub(super) centre: Centring,
    /// Whether the person chose that.
    has_chosen: bool,
    /// Whether the static sky is taken off.
    pub(super) is_subtracted: bool,
    /// Whether it is dark on bright.
    pub(super) is_inverse: bool,
    /// Whether the object is marked.
    pub(super) has_marks: bool,
}

impl Player {
    /// A player without a sequence.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            index: 0,
            n_frames: 0,
            speed: SPEED_AT_START,
            since: now,
            is_paused: false,
            centre: Centring::OnSky,
            has_chosen: false,
            is_subtracted: false,
            is_inverse: false,
            has_marks: true,
        }
    }

    /// Begins a sequence.
    pub(super) fn begin(&mut self, n_frames: usize, now: Instant) {
        (self.index, self.n_frames, self.since) = (0, n_frames, now);
    }

    /// Takes what shows a candidate best, unless the person chose.
    pub(super) fn propose(&mut self, centre: Centring) {
        if !self.has_chosen {
            self.centre = centre;
        }
    }

    /// Frames per second.
    pub(super) fn speed_per_s(&self) -> f64 {
        SPEEDS[self.speed]
    }

    /// Changes something.
    pub(super) fn control(&mut self, control: Control, now: Instant) {
        match control {
            Control::Pause => self.is_paused = !self.is_paused,
            Control::Forward => self.step(1),
            Control::Back => self.step(self.n_frames.saturating_sub(1)),
            Control::Faster => self.speed = (self.speed + 1).min(SPEEDS.len() - 1),
            Control::Slower => self.speed = self.speed.saturating_sub(1),
            Control::Centre => {
                self.has_chosen = true;
                self.centre = match self.centre {
                    Centring::OnObject => Centring::OnSky,
                    Centring::OnSky => Centring::OnObject,
                }
            }
            Control::Subtract => self.is_subtracted = !self.is_subtracted,
            Control::Inverse => self.is_inverse = !self.is_inverse,
            Control::Marks => self.has_marks = !self.has_marks,
        }
        if control == Control::Pause {
            self.since = now;
        }
    }

    /// Goes on by so many frames, round the end, and stands there.
    fn step(&mut self, n: usize) {
        self.is_paused = true;
        if self.n_frames > 0 {
            self.index = (self.index + n) % self.n_frames;
        }
    }

    /// Lets time pass; tells whether another frame is to be shown.
    pub(super) fn tick(&mut self, now: Instant) -> bool {
        if self.until_next(now) != Some(Duration::ZERO) {
            return false;
        }
        self.index = (self.index + 1) % self.n_frames;
        self.since = now;
        true
    }

    /// Time until the next frame; `None` when nothing moves.
    pub(super) fn until_next(&self, now: Instant) -> Option<Duration> {
        if self.is_paused || self.n_frames < 2 {
            return None;
        }
        let step = Duration::try_from_secs_f64(1.0 / self.speed_per_s()).unwrap_or_default();
        Some(step.saturating_sub(now.saturating_duration_since(self.since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_go_round_at_the_chosen_speed() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut player = Player::new(start);
        assert_eq!(player.until_next(start), None, "nothing to show");
        player.begin(3, start);
        assert!(!player.tick(at(300)), "3 per second: 333 ms each");
        assert!(player.tick(at(334)) && player.index == 1);
        player.control(Control::Faster, at(334));
        assert!(player.tick(at(584)) && player.index == 2, "4 per second: 250 ms each");
        assert!(player.tick(at(840)) && player.index == 0, "round the end");
        for _ in 0..20 {
            player.control(Control::Slower, at(840));
        }
        assert!((player.speed_per_s() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn steps_stop_the_blinking() {
        let start = Instant::now();
        let mut player = Player::new(start);
        player.control(Control::Forward, start);
        assert_eq!(player.index, 0, "no frame to go to");
        player.begin(3, start);
        player.control(Control::Back, start);
        assert_eq!((player.index, player.is_paused), (2, true));
        assert!(!player.tick(start + Duration::from_secs(9)));
        player.control(Control::Forward, start);
        assert_eq!(player.index, 0);
        player.propose(Centring::OnObject);
        assert_eq!(player.centre, Centring::OnObject);
        player.control(Control::Centre, start);
        player.propose(Centring::OnObject);
        assert_eq!(player.centre, Centring::OnSky, "the person's choice");
        player.control(Control::Pause, start + Duration::from_secs(9));
        assert!(!player.tick(start + Duration::from_secs(9)), "goes on from now");
    }
}
