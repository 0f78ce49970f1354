// A Caesar cipher on bytes.
/// Shifts letters by `shift` places; everything else stays.
fn caesar(text: &str, shift: i8) -> String {
    let shift = shift.rem_euclid(26) as u8;
    text.chars()
        .map(|c| match c {
            'a'..='z' => ((c as u8 - b'a' + shift) % 26 + b'a') as char,
            'A'..='Z' => ((c as u8 - b'A' + shift) % 26 + b'A') as char,
            _ => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps() {
        assert_eq!(caesar("xyz ABC!", 3), "abc DEF!");
    }

    #[test]
    fn inverse() {
        assert_eq!(caesar(&caesar("Hello, World", 7), -7), "Hello, World");
    }
}
