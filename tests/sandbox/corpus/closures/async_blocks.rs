// Futures that are driven by hand.
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

async fn double(x: u32) -> u32 {
    x * 2
}

async fn sum(xs: &[u32]) -> u32 {
    let mut total = 0;
    for &x in xs {
        total += double(x).await;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        assert_eq!(block_on(sum(&[1, 2, 3])), 12);
        assert_eq!(block_on(async { double(4).await + 1 }), 9);
    }
}
