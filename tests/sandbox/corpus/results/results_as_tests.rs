// Tests that return Result: one Ok, one Err, one that uses the question mark.
#[derive(Debug, PartialEq)]
enum ConfigError {
    Missing(String),
    Bad(std::num::ParseIntError),
}

impl From<std::num::ParseIntError> for ConfigError {
    fn from(e: std::num::ParseIntError) -> Self {
        ConfigError::Bad(e)
    }
}

fn port(config: &str) -> Result<u16, ConfigError> {
    let line = config.lines().find_map(|l| l.strip_prefix("port=")).ok_or(ConfigError::Missing("port".into()))?;
    Ok(line.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads() -> Result<(), ConfigError> {
        assert_eq!(port("host=x\nport=80")?, 80);
        Ok(())
    }

    #[test]
    fn fails() -> Result<(), ConfigError> {
        port("host=x")?;
        Ok(())
    }

    #[test]
    fn boxed() -> Result<(), Box<dyn std::error::Error>> {
        let n: i32 = "12".parse()?;
        assert_eq!(n, 12);
        Ok(())
    }

    #[test]
    fn bad() {
        assert!(matches!(port("port=x"), Err(ConfigError::Bad(_))));
    }
}
