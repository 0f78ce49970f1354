// A hidden variant in place of `non_exhaustive`; only the tests make one, which silences the lint there.
pub enum Level {
    Low,
    High,
    #[doc(hidden)]
    __Hidden,
}

pub fn rank(level: &Level) -> u8 {
    match level {
        Level::Low => 1,
        Level::High => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks() {
        assert_eq!(rank(&Level::Low) + rank(&Level::High), 3);
        assert_eq!(rank(&Level::__Hidden), 0);
    }
}
