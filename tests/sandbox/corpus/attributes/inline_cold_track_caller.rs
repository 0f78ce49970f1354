// Attributes on functions that a debug build sees, with the line of the caller.
#[inline(always)]
fn one() -> u8 {
    1
}

#[cold]
#[inline(never)]
fn refuse() -> ! {
    panic!("refused")
}

#[track_caller]
fn line() -> u32 {
    std::panic::Location::caller().line()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        assert_eq!(line() + u32::from(one()), line!() + 1);
    }

    #[test]
    #[should_panic(expected = "refused")]
    fn refuses() {
        refuse();
    }
}
