//! No test but a word after those of `cargo test`: which tests were left out because this machine has not what they
//! need. What a test prints that passes, nobody sees.

use std::path::Path;
use std::process::Command;

fn main() {
    // Whoever lists tests, as cargo-nextest and editors do, finds none here.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/missing-clients");
    let output = Command::new(script).output().expect("the script is there");
    let missing = String::from_utf8_lossy(&output.stdout);
    if !missing.is_empty() {
        println!("\nLEFT OUT are the tests of clients that need what is missing here:\n");
        missing.lines().for_each(|line| println!("    {line}"));
        println!("\nscripts/install-clients installs it, or says why it cannot.\n");
    }
}
