// Tabs for spaces, and form feeds between items.
fn f() -> u8 {
	3
}

#[cfg(test)]
mod tests {
	#[test]
	fn three() {
		assert_eq!(super::f(), 3);
	}
}
