// A certain overflow whose lint is switched off: it panics at run time.
#[allow(arithmetic_overflow)]
fn too_much() -> u8 {
    let x: u8 = 255;
    x + 1
}

#[allow(unconditional_panic)]
fn too_far() -> u8 {
    let xs = [1, 2];
    xs[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "overflow")]
    fn overflows() {
        too_much();
    }

    #[test]
    #[should_panic(expected = "out of bounds")]
    fn out_of_bounds() {
        too_far();
    }
}
