// Collecting into Result and Option stops at the first failure.
fn parse_all(text: &str) -> Result<Vec<i32>, std::num::ParseIntError> {
    text.split(',').map(|part| part.trim().parse()).collect()
}

fn reciprocals(xs: &[f64]) -> Option<Vec<f64>> {
    xs.iter().map(|&x| if x == 0.0 { None } else { Some(1.0 / x) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_good() -> Result<(), std::num::ParseIntError> {
        assert_eq!(parse_all("1, 2,3")?, [1, 2, 3]);
        Ok(())
    }

    #[test]
    fn one_bad() {
        assert!(parse_all("1,x").is_err());
        assert_eq!(reciprocals(&[1.0, 0.0]), None);
        assert_eq!(reciprocals(&[2.0]), Some(vec![0.5]));
    }
}
