// Tests that return an exit code or another Termination.
use std::process::{ExitCode, Termination};

fn check(ok: bool) -> ExitCode {
    if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(3)
    }
}

struct Percent(u8);

impl Termination for Percent {
    fn report(self) -> ExitCode {
        check(self.0 == 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success() -> ExitCode {
        check(true)
    }

    #[test]
    fn failure() -> ExitCode {
        check(false)
    }

    #[test]
    fn percent() -> Percent {
        Percent(100)
    }

    #[test]
    fn nested() -> Result<Percent, String> {
        Ok(Percent(99))
    }
}
