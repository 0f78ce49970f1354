// The same lines from a test that fails, the last of them torn.
use std::io::Write;

fn write(out: &mut impl Write) {
    writeln!(out, "\n{}", r#"{"reason":"compiler-message"}"#).unwrap();
    writeln!(out, "{}", r#"{"reason":"build-finished","success":true}"#).unwrap();
    writeln!(out, "{}", r#"{"$message_type":"diagnostic","level":"err"#).unwrap();
}

#[cfg(test)]
mod tests {
    #[test]
    fn fails() {
        super::write(&mut std::io::stdout());
        super::write(&mut std::io::stderr());
        panic!("{}", r#"{"reason":"build-finished","success":false}"#);
    }
}
