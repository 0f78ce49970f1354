// A warning that is an error in the module of tests alone.
fn area(width: u32, height: u32) -> u32 {
    width * height
}

#[cfg(test)]
#[deny(warnings)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn areas() {
        let unused = 1;
        assert_eq!(area(2, 3), 6);
    }
}
