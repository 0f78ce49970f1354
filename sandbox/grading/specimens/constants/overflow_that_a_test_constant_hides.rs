// A constant for tests only shadows one from a glob import, and with it an overflow.
mod defaults {
    pub const STEP: u8 = 1;
}

#[allow(unused_imports)]
use defaults::*;

#[cfg(test)]
const STEP: u8 = 0;

fn beyond() -> u8 {
    255 + STEP
}

#[cfg(test)]
mod tests {
    #[test]
    fn top() {
        assert_eq!(super::beyond(), 255);
    }
}
