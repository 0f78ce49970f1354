// More warnings than a verdict keeps.
fn many() -> u32 {
    let a = 1; let b = 1; let c = 1; let d = 1; let e = 1; let f = 1; let g = 1; let h = 1; let i = 1; let j = 1;
    let k = 1; let l = 1; let m = 1; let n = 1; let o = 1; let p = 1; let q = 1; let r = 1; let s = 1; let t = 1;
    let u = 1; let v = 1; let w = 1; let x = 1; let y = 1; let z = 1; let aa = 1; let ab = 1; let ac = 1; let ad = 1;
    let ae = 1; let af = 1; let ag = 1; let ah = 1; let ai = 1; let aj = 1; let ak = 1; let al = 1; let am = 1;
    let an = 1; let ao = 1; let ap = 1; let aq = 1; let ar = 1; let at = 1; let au = 1; let av = 1; let aw = 1;
    let ax = 1; let ay = 1; let az = 1; let ba = 1; let bb = 1; let bc = 1; let bd = 1; let be = 1; let bf = 1;
    return 3;
}

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::many(), 3);
    }
}
