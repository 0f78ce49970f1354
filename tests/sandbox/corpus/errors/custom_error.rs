// A chain of errors with source, Display and From.
use std::error::Error;
use std::fmt;
use std::num::ParseIntError;

#[derive(Debug)]
enum AppError {
    Parse { line: usize, source: ParseIntError },
    Negative(i64),
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppError::Parse { line, .. } => write!(f, "line {line} is no number"),
            AppError::Negative(n) => write!(f, "{n} is negative"),
        }
    }
}

impl Error for AppError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            AppError::Parse { source, .. } => Some(source),
            AppError::Negative(_) => None,
        }
    }
}

fn total(text: &str) -> Result<i64, AppError> {
    let mut sum = 0;
    for (i, line) in text.lines().enumerate() {
        let n: i64 = line.trim().parse().map_err(|source| AppError::Parse { line: i + 1, source })?;
        if n < 0 {
            return Err(AppError::Negative(n));
        }
        sum += n;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        assert_eq!(total("1\n 2\n").unwrap(), 3);
    }

    #[test]
    fn explains() {
        let error = total("1\nx").unwrap_err();
        assert_eq!(error.to_string(), "line 2 is no number");
        assert_eq!(error.source().unwrap().to_string(), "invalid digit found in string");
        assert!(total("-4").unwrap_err().source().is_none());
    }
}
