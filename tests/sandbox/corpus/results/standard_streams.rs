// Reads an empty standard input, and writes to standard output past the capture of tests.
use std::io::{self, BufRead, IsTerminal, Write};

fn ask(input: &mut impl BufRead, out: &mut impl Write) -> io::Result<Option<String>> {
    writeln!(out, "Your name?")?;
    let mut line = String::new();
    Ok((input.read_line(&mut line)? > 0).then(|| line.trim_end().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_memory() {
        let mut out = Vec::new();
        assert_eq!(ask(&mut "Ann\n".as_bytes(), &mut out).unwrap().as_deref(), Some("Ann"));
        assert_eq!(out, b"Your name?\n");
    }

    #[test]
    fn from_the_real_ones() {
        assert_eq!(ask(&mut io::stdin().lock(), &mut io::stdout()).unwrap(), None);
        assert!(!io::stdin().is_terminal() && !io::stdout().is_terminal() && !io::stderr().is_terminal());
    }
}
