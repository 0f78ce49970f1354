// A derive that only tests have, and code outside that needs it.
#[cfg_attr(test, derive(Clone))]
struct Mode(&'static str);

fn copy(mode: &Mode) -> Mode {
    mode.clone()
}

#[cfg(test)]
mod tests {
    #[test]
    fn copies() {
        assert_eq!(super::copy(&super::Mode("a")).0, "a");
    }
}
