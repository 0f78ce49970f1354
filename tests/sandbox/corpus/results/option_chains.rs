// Option and Result combinators, and tests that use both.
fn middle_initial(name: &str) -> Option<char> {
    let mut parts = name.split(' ');
    let (_first, middle, _last) = (parts.next()?, parts.next()?, parts.next()?);
    middle.chars().next().map(|c| c.to_ascii_uppercase())
}

fn percent(text: &str) -> Result<u8, String> {
    text.strip_suffix('%')
        .ok_or_else(|| format!("{text:?} has no percent sign"))
        .and_then(|n| n.parse::<u8>().map_err(|e| e.to_string()))
        .and_then(|n| if n <= 100 { Ok(n) } else { Err(format!("{n} is too large")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials() {
        assert_eq!(middle_initial("John ronald Tolkien"), Some('R'));
        assert_eq!(middle_initial("Plato"), None);
    }

    #[test]
    fn percents() -> Result<(), String> {
        assert_eq!(percent("50%")?, 50);
        assert_eq!(percent("50").unwrap_err(), "\"50\" has no percent sign");
        assert!(percent("101%").is_err() && percent("999%").is_err());
        Ok(())
    }
}
