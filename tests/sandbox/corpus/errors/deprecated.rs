// Warnings about what is deprecated, and names in the wrong case.
#[deprecated(since = "0.2.0", note = "use `area` instead")]
fn GetArea(Width: u32, Height: u32) -> u32 {
    Width * Height
}

const max_width: u32 = 3;

struct my_struct;

fn area(width: u32) -> u32 {
    GetArea(width.min(max_width), 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas() {
        assert_eq!(area(9), 6);
        assert_eq!(GetArea(1, 1), 1);
        let _ = my_struct;
    }
}
