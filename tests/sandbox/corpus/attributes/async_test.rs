// A test that is async.
async fn f() -> u8 {
    4
}

#[cfg(test)]
mod tests {
    #[test]
    async fn four() {
        assert_eq!(super::f().await, 4);
    }
}
