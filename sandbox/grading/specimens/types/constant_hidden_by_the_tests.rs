// An inherent constant in the module of tests hides the one of a trait, in all of the program.
trait Slots {
    const NUM: u8 = 100;
}

struct Ring;

impl Slots for Ring {}

fn total() -> u8 {
    let each: u8 = 200;
    each + Ring::NUM
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Ring {
        pub(super) const NUM: u8 = 3;
    }

    #[test]
    fn few() {
        assert_eq!(total(), 203);
    }
}
