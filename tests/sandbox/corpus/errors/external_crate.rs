// A crate that is not there.
use rand::Rng;

fn roll() -> u32 {
    rand::thread_rng().gen_range(1..=6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_range() {
        assert!((1..=6).contains(&roll()));
    }
}
