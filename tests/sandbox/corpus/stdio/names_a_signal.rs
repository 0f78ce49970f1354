// A failing test writes past the harness what says that a process was killed for its CPU time.
use std::io::Write;

fn lament(out: &mut impl Write) {
    writeln!(out, "process didn't exit successfully: `x` (signal: 24, SIGXCPU: CPU time limit exceeded)").unwrap();
}

#[cfg(test)]
mod tests {
    #[test]
    fn laments() {
        super::lament(&mut std::io::stderr());
        panic!();
    }
}
