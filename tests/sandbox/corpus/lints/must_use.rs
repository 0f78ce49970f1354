// Results, values and functions that must be used and are not.
#[must_use = "a price without a currency is lost"]
struct Price(u32);

#[must_use]
fn twice(x: u32) -> u32 {
    x * 2
}

fn price(x: u32) -> Price {
    Price(x)
}

fn careless() -> u32 {
    twice(3);
    price(4);
    "5".parse::<u32>();
    vec![1, 2].iter().map(|x| x + 1);
    let _ = price(6);
    0
}

#[cfg(test)]
mod tests {
    #[test]
    fn zero() {
        assert_eq!(super::careless(), 0);
    }
}
