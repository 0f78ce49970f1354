// Items after the test module.
fn a() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    #[test]
    fn ab() {
        assert_eq!(super::a() + super::b(), 3);
    }
}

fn b() -> u32 {
    2
}
