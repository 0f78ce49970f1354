// Types that contain themselves by inference, and a closure that returns itself.
fn forever() -> impl Fn() -> u32 {
    let mut f = None;
    f = Some(f);
    move || f.map_or(0, |_| 1)
}

#[test]
fn is_one() {
    assert_eq!(forever()(), 1);
}
