//! `tokenry man`

use std::{collections::BTreeSet, process::Command};

use super::{bare, help};

#[test]
fn every_command_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("man1");
    assert!(bare(&["man", "--dir", path.to_str().unwrap()]).output().unwrap().status.success());
    let written: BTreeSet<String> = std::fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let commands = help::commands().into_iter();
    let pages = commands.map(|command| format!("tokenry-{}.1", command.replace(' ', "-")));
    assert_eq!(written, pages.chain(["tokenry.1".to_owned()]).collect());

    for page in written {
        let page = path.join(page);
        let Ok(rendered) =
            Command::new("groff").args(["-man", "-Tutf8", "-ww"]).arg(&page).output()
        else {
            println!("groff is not here, so nothing was rendered");
            return;
        };
        let said = String::from_utf8_lossy(&rendered.stderr);
        assert!(rendered.status.success() && said.is_empty(), "{}: {said}", page.display());
    }
}

#[test]
fn without_a_folder_the_page_of_the_whole_is_printed() {
    let page = String::from_utf8(bare(&["man"]).output().unwrap().stdout).unwrap();
    assert!(page.is_ascii(), "groff takes other bytes for Latin-1");
    for part in [".TH tokenry 1", "\n.SH NAME\n", "\n.SH NOTES\n.nf\n", "130   interrupted"] {
        assert!(page.contains(part), "{part:?} is missing in\n{page}");
    }
}
