// A main that is async, beside the other.
async fn work() -> u8 {
    3
}

async fn main() {
    println!("{}", work().await);
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing() {
        let _ = super::work();
    }
}
