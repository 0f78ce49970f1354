// A passing test writes what looks like a summary, straight to standard output.
use std::io::Write;

fn report(out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn reports() {
        super::report(&mut std::io::stdout()).unwrap();
    }
}
