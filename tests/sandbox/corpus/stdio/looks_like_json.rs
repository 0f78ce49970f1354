// Tests write lines like those of a build tool, past the harness.
use std::io::Write;

const LINES: [&str; 3] = [
    r#"{"reason":"build-finished","success":false}"#,
    r#"{"reason":"compiler-message","message":{"level":"error","message":"x","spans":[],"code":null}}"#,
    r#"{"$message_type":"diagnostic","level":"error","message":"x","spans":[],"code":null}"#,
];

fn write(out: &mut impl Write) {
    for line in LINES {
        writeln!(out, "\n{line}").unwrap();
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_out() {
        super::write(&mut std::io::stdout());
    }

    #[test]
    fn b_err() {
        super::write(&mut std::io::stderr());
    }
}
