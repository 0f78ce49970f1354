// A warning that the program itself makes an error, in a function.
#![deny(unused_variables, unused_mut)]

fn area(width: u32, height: u32) -> u32 {
    let mut scale = 1;
    width * scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas() {
        assert_eq!(area(2, 3), 2);
    }
}
