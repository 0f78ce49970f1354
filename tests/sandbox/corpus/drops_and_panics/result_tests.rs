// Tests that return results, good and bad, and an exit code.
use std::process::ExitCode;

fn parse(text: &str) -> Result<i32, std::num::ParseIntError> {
    text.trim().parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good() -> Result<(), Box<dyn std::error::Error>> {
        assert_eq!(parse(" 4 ")?, 4);
        Ok(())
    }

    #[test]
    fn bad() -> Result<(), std::num::ParseIntError> {
        parse("four").map(|_| ())
    }

    #[test]
    fn code() -> ExitCode {
        ExitCode::from(1)
    }

    #[test]
    fn success() -> ExitCode {
        ExitCode::SUCCESS
    }
}
