// What the environment of a test holds: a test per variable.
fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::is_set;

    macro_rules! set {
        ($($test:ident $name:literal)*) => {
            $(#[test]
            fn $test() {
                assert!(is_set($name));
            })*
        };
    }

    set! {
        manifest_dir "CARGO_MANIFEST_DIR"
        manifest_path "CARGO_MANIFEST_PATH"
        cargo "CARGO"
        version "CARGO_PKG_VERSION"
        authors "CARGO_PKG_AUTHORS"
        readme "CARGO_PKG_README"
        library_path "LD_LIBRARY_PATH"
        home "HOME"
        temporary "TMPDIR"
        backtrace "RUST_BACKTRACE"
        cargo_home "CARGO_HOME"
        user "USER"
        path "PATH"
        bin_name "CARGO_BIN_NAME"
        name_of_crate "CARGO_CRATE_NAME"
        primary "CARGO_PRIMARY_PACKAGE"
        out_dir "OUT_DIR"
        threads "RUST_TEST_THREADS"
        linter "CLIPPY_ARGS"
        debug "CARGO_PROFILE_TEST_DEBUG"
        workspace "CARGO_WORKSPACE_DIR"
        toolchain "RUSTUP_TOOLCHAIN"
        language "LC_ALL"
    }
}
