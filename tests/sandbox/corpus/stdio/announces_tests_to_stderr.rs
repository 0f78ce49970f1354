// The same to standard error, and inside what the harness holds back.
fn announce(n: u32) -> String {
    eprintln!("running {n} tests");
    println!("running {n} tests");
    format!("running {n} tests")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    #[test]
    fn announces() {
        let text = super::announce(9);
        writeln!(std::io::stderr(), "{text}").unwrap();
        assert_eq!(text, "running 9 tests");
    }
}
