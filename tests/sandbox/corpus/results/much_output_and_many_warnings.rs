// Much output of a test after many warnings of the compiler: together more than is kept of one stream.
use std::io::{self, Write};

macro_rules! functions {
    ($($a:ident)*) => {
        $(pub fn $a() {
            let $a = 1;
        })*
    };
}

functions!(a00 a01 a02 a03 a04 a05 a06 a07 a08 a09 a10 a11 a12 a13 a14 a15 a16 a17 a18 a19 a20 a21 a22 a23 a24);
functions!(b00 b01 b02 b03 b04 b05 b06 b07 b08 b09 b10 b11 b12 b13 b14 b15 b16 b17 b18 b19 b20 b21 b22 b23 b24);
functions!(c00 c01 c02 c03 c04 c05 c06 c07 c08 c09 c10 c11 c12 c13 c14 c15 c16 c17 c18 c19 c20 c21 c22 c23 c24);
functions!(d00 d01 d02 d03 d04 d05 d06 d07 d08 d09 d10 d11 d12 d13 d14 d15 d16 d17 d18 d19 d20 d21 d22 d23 d24);

fn repeat(out: &mut impl Write, n: usize) -> io::Result<()> {
    (0..n).try_for_each(|i| writeln!(out, "line {i:05} of the output of a test that has much to say ............"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_much() {
        repeat(&mut io::stdout(), 5_500).unwrap();
    }
}
