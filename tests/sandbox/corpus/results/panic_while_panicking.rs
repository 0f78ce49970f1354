// A value that panics when dropped, dropped by a panic: the process aborts in the middle of the tests.
struct Fragile(bool);

impl Drop for Fragile {
    fn drop(&mut self) {
        if self.0 {
            panic!("broke");
        }
    }
}

fn carry(fragile: bool) -> Fragile {
    Fragile(fragile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_safe_one() {
        drop(carry(false));
    }

    #[test]
    fn b_breaks_twice() {
        let _held = carry(true);
        panic!("first");
    }

    #[test]
    fn c_never_runs() {
        drop(carry(false));
    }
}
