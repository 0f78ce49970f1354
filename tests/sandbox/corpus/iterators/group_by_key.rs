// Groups consecutive items with peekable.
fn runs(text: &str) -> Vec<(char, usize)> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let mut n = 1;
        while chars.next_if_eq(&c).is_some() {
            n += 1;
        }
        out.push((c, n));
    }
    out
}

fn encode(text: &str) -> String {
    runs(text)
        .into_iter()
        .map(|(c, n)| if n == 1 { c.to_string() } else { format!("{n}{c}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_lengths() {
        assert_eq!(encode("aaabccd"), "3ab2cd");
        assert_eq!(encode(""), "");
    }
}
