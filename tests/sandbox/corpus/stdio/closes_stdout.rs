// Output that is dropped: a child's streams, a sink and a buffer that is forgotten.
use std::io::{BufWriter, Write};

fn forget() {
    let mut out = BufWriter::new(std::io::stdout());
    out.write_all(b"never seen").unwrap();
    std::mem::forget(out);
    std::io::sink().write_all(b"gone").unwrap();
}

#[cfg(test)]
mod tests {
    #[test]
    fn forgets() {
        super::forget();
    }
}
