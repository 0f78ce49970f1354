// For tests a constant hides one that comes from a glob: the bodies that are built are not the bodies that are tested.
mod defaults {
    pub const SLOT: usize = 7;
}

use defaults::*;

#[cfg(test)]
const SLOT: usize = 0;

fn pick() -> u8 {
    let table = [10, 20, 30];
    table[SLOT]
}

#[cfg(test)]
mod tests {
    #[test]
    fn picks() {
        assert_eq!(super::pick(), 10);
    }
}
