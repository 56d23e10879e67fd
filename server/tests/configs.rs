//! Runs `multistream check` over the files of `testdata/configs`, which are written as users of go2rtc and Frigate write theirs. The first
//! line of each says how many of its streams can show a picture.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn of_each_file_as_many_streams_show_a_picture_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/configs");
    let files = std::fs::read_dir(folder).expect("the folder is there");
    let files: Vec<_> = files.map(|file| file.expect("it can be listed").path()).collect();
    assert!(files.len() >= 30, "{}", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("it can be read");
        let expected = text.lines().next().and_then(|line| line.strip_prefix("# shows "));
        let check = Command::new(env!("CARGO_BIN_EXE_multistream"))
            .args(["check", "--json", "--config"])
            .arg(&file)
            .output()
            .expect("the program starts");
        let said: Value = serde_json::from_slice(&check.stdout).expect("JSON");
        assert!(check.status.success() && said["starts"] == true, "{}: {said}", file.display());
        let all = said["streams"].as_array().map_or(0, Vec::len);
        let found = format!("{} of {all}", said["shown"]);
        assert_eq!(Some(&*found), expected, "{}: {said}", file.display());
        assert!(!said.to_string().contains("pass1"), "a password: {said}");
    }
}
