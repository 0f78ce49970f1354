// A dead function that always overflows: only a build refuses it.
fn dead() -> u8 {
    let x: u8 = 255;
    x + 1
}

fn alive(x: u8) -> u8 {
    x.saturating_add(1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn saturates() {
        assert_eq!(super::alive(255), 255);
    }
}
