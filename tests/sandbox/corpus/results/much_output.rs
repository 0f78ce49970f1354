// A passing test that writes three hundred thousand bytes to standard output past the capture of tests.
use std::io::{self, Write};

fn repeat(out: &mut impl Write, n: usize) -> io::Result<()> {
    for i in 0..n {
        writeln!(out, "line {i:05} of the output of a test that has much to say ............")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes() {
        let mut out = Vec::new();
        repeat(&mut out, 2).unwrap();
        assert_eq!(out.iter().filter(|&&b| b == b'\n').count(), 2);
    }

    #[test]
    fn writes_much() {
        repeat(&mut io::stdout(), 4_300).unwrap();
    }
}
