//! What a terminal answers when it is asked for its pictures.
//!
//! Three questions in one go: whether it knows kitty's graphics protocol, how large a character
//! cell is, and, last, what it is (DA1: every terminal answers that, so its answer ends the wait;
//! attribute 4 is sixel graphics). Sources: the kitty graphics protocol, XTerm Control Sequences
//! (CSI 16 t, CSI c).

/// Answers so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Answers {
    /// It knows kitty's graphics protocol.
    pub(super) has_kitty: bool,
    /// It knows sixel graphics.
    pub(super) has_sixel: bool,
    /// Width and height of a character cell [px].
    pub(super) cell_px: Option<(u16, u16)>,
    /// It said what it is: nothing more will come.
    pub(super) is_complete: bool,
}

/// The questions; kitty's is not put to multiplexers, which would take it for a title.
pub(super) fn questions(asks_kitty: bool) -> &'static str {
    if asks_kitty {
        "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[16t\x1b[c"
    } else {
        "\x1b[16t\x1b[c"
    }
}

/// Reads what came; anything else than answers (keys typed meanwhile) is passed over.
pub(super) fn parse(bytes: &[u8]) -> Answers {
    let mut answers = Answers::default();
    let text = String::from_utf8_lossy(bytes);
    for part in text.split('\x1b').skip(1) {
        if let Some(graphics) = part.strip_prefix("_G") {
            answers.has_kitty |= graphics.contains("i=31;OK");
        }
        let Some(control) = part.strip_prefix('[') else {
            continue;
        };
        let Some(end) = control.find(|c: char| !matches!(c, '0'..='9' | ';' | '?')) else {
            continue;
        };
        let (numbers, rest) = control.split_at(end);
        if let (Some(attributes), true) = (numbers.strip_prefix('?'), rest.starts_with('c')) {
            // The first number is the terminal's class, not an attribute.
            answers.has_sixel |= attributes.split(';').skip(1).any(|a| a == "4");
            answers.is_complete = true;
        }
        if let (Some(size), true) = (numbers.strip_prefix("6;"), rest.starts_with('t')) {
            let numbers: Vec<u16> = size.split(';').filter_map(|n| n.parse().ok()).collect();
            if let [height, width] = numbers[..] {
                answers.cell_px = (width > 0 && height > 0).then_some((width, height));
            }
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_real_terminals() {
        // kitty 0.32, foot 1.16, xterm -ti vt340, tmux 3.3, the Linux console.
        let kitty = parse(b"\x1b_Gi=31;OK\x1b\\\x1b[6;18;9t\x1b[?62;c");
        assert!(kitty.has_kitty && !kitty.has_sixel && kitty.is_complete);
        assert_eq!(kitty.cell_px, Some((9, 18)));
        let foot = parse(b"\x1b[6;20;10t\x1b[?62;4;22c");
        assert!(foot.has_sixel && !foot.has_kitty && foot.cell_px == Some((10, 20)));
        assert!(parse(b"\x1b[?63;1;2;4;6;9;15;22c").has_sixel);
        let tmux = parse(b"\x1b[?1;2c");
        assert_eq!(tmux, Answers { is_complete: true, ..Answers::default() });
        assert_eq!(parse(b"\x1b[?6c"), tmux);
        assert!(!parse(b"\x1b[?4c").has_sixel, "a VT132 is no attribute");
    }

    #[test]
    fn typing_and_broken_answers_are_no_answers() {
        for bytes in [
            &b"aaad\x1b[D\x1b[C"[..],
            b"\x1b_Gi=31;ENOTSUP:no\x1b\\",
            b"\x1b[6;0;0t",
            b"\x1b[6;99999;1t",
            b"\x1b[?62;4",
            b"\x1b",
            b"\xff\xfe\x1b[",
        ] {
            assert_eq!(parse(bytes), Answers::default(), "{bytes:?}");
        }
        assert!(parse(b"d\x1b[?62;4cd").has_sixel);
    }
}
