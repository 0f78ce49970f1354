// A closure that never returns, and what its type falls back to.
fn first_or_stop(xs: &[u32]) -> u32 {
    let stop = || panic!("no number");
    xs.first().copied().unwrap_or_else(|| stop())
}

fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    let n: u32 = text.parse()?;
    Ok(match n {
        0 => return Ok(1),
        n => n,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first() {
        assert_eq!(first_or_stop(&[4]), 4);
        assert_eq!(parse("0"), Ok(1));
    }

    #[test]
    #[should_panic(expected = "no number")]
    fn none() {
        first_or_stop(&[]);
    }
}
