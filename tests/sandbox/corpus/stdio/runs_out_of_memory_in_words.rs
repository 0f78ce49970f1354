// An error of the program's own whose words are those of a process without memory, before many others.
compile_error!("memory allocation of 16 bytes failed");

fn f() -> [u32; 12] {
    ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"]
}

fn g() -> u32 {
    let a: u32 = "a"; let b: u32 = "b"; let c: u32 = "c"; let d: u32 = "d"; let e: u32 = "e"; let f: u32 = "f";
    let g: u32 = "g"; let h: u32 = "h"; let i: u32 = "i"; let j: u32 = "j"; let k: u32 = "k"; let l: u32 = "l";
    a + b + c + d + e + f + g + h + i + j + k + l
}

#[cfg(test)]
mod tests {
    #[test]
    fn f() {
        assert_eq!(super::f()[0], 1);
    }
}
