// Bytes that are not UTF-8, nulls, carriage returns and escapes, straight to both streams.
use std::io::Write;

fn bytes() -> Vec<u8> {
    (0..=255).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes() {
        std::io::stdout().write_all(&bytes()).unwrap();
        std::io::stderr().write_all(&bytes()).unwrap();
        println!("\x1b[2K\rtest tests::writes ... FAILED");
    }
}
