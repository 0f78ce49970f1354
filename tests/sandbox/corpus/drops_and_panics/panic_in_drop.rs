// A drop that panics while nothing else does, and one that panics during a panic: that aborts.
struct Bomb(bool);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 {
            panic!("in drop");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "in drop")]
    fn a_once() {
        drop(Bomb(true));
    }

    #[test]
    #[should_panic(expected = "first")]
    fn b_twice() {
        let _bomb = Bomb(true);
        panic!("first");
    }

    #[test]
    fn c_none() {
        drop(Bomb(false));
    }
}
