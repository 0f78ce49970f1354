// A builder whose states are types.
use std::marker::PhantomData;

struct NoUrl;
struct HasUrl;

struct Request<S> {
    url: String,
    retries: u32,
    state: PhantomData<S>,
}

impl Request<NoUrl> {
    fn new() -> Self {
        Request { url: String::new(), retries: 0, state: PhantomData }
    }

    fn url(self, url: &str) -> Request<HasUrl> {
        Request { url: url.to_string(), retries: self.retries, state: PhantomData }
    }
}

impl<S> Request<S> {
    fn retries(self, retries: u32) -> Self {
        Request { retries, ..self }
    }
}

impl Request<HasUrl> {
    fn describe(&self) -> String {
        format!("{} x{}", self.url, self.retries + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds() {
        assert_eq!(Request::new().retries(2).url("a.b").describe(), "a.b x3");
    }
}
