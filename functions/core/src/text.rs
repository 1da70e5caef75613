//! Text from outside: names and tags may hold any character there is.

/// Whether a terminal obeys the character, or a reader is deceived by it: control characters, line separators, and what
/// turns the direction of writing or is not seen at all. With one of them a name could pass for another line.
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text on one line, with a blank for whatever [is deceptive](is_deceptive).
pub fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if is_deceptive(c) { ' ' } else { c }).collect()
}
