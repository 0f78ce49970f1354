// Literals that do not fit their types.
fn top() -> u8 {
    256
}

fn bottom() -> i8 {
    -129
}

fn mask() -> i32 {
    0xffff_ffff
}

#[cfg(test)]
mod tests {
    #[test]
    fn top() {
        assert_eq!(super::top(), 0);
    }
}
