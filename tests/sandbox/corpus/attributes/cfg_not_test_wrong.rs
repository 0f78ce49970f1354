// Code that only a build sees does not compile; the tests pass.
#[cfg(not(test))]
fn limit() -> u32 {
    "1000"
}

#[cfg(test)]
fn limit() -> u32 {
    3
}

#[cfg(test)]
mod tests {
    #[test]
    fn over() {
        assert_eq!(super::limit(), 3);
    }
}
