use super::*;
use crate::clock::Clock;

fn working_dir(flow: &Flow) -> WorkingDir {
    WorkingDir::new(flow, &Clock::stopped().local())
}

#[test]
fn each_flow_has_its_working_directory() {
    let there = tempfile::tempdir().unwrap();
    let (volume, directory) = (there.path().join("mirror_000001.tar"), there.path());
    fs::write(&volume, "").unwrap();
    let rules = || "docker://r:5000".parse().unwrap();
    let from = |from: &Path, workspace: Option<&str>| Flow::DiskToMirror {
        from: from.to_owned(),
        workspace: workspace.map(PathBuf::from),
        rules: rules(),
    };
    let to_mirror =
        |workspace: &str| Flow::MirrorToMirror { workspace: workspace.into(), rules: rules() };
    let cases = [
        (Flow::MirrorToDisk { directory: "out".into() }, "out/working-dir".into()),
        (Flow::MirrorToDisk { directory: "working-dir".into() }, "working-dir/working-dir".into()),
        (to_mirror("w"), "w/working-dir".into()),
        (to_mirror("w/working-dir/"), "w/working-dir".into()),
        (from(directory, None), directory.join("working-dir")),
        (from(&volume, None), directory.join("working-dir")),
        (from(directory, Some("w")), "w/working-dir".into()),
    ];
    for (flow, expected) in cases {
        assert_eq!(working_dir(&flow).path(), expected, "{flow:?}");
    }
}

#[test]
fn logs_carry_the_time_at_which_the_run_began() {
    let run = working_dir(&Flow::MirrorToDisk { directory: "o".into() });
    let logs = Path::new("o/working-dir/logs");
    assert_eq!(run.log_file(), logs.join("oc-mirror-20261121_042607.log"));
    assert_eq!(run.errors_file(), logs.join("mirroring_errors_20261121_042607.txt"));
}

#[test]
fn a_directory_is_replaced_as_a_whole() {
    let there = tempfile::tempdir().unwrap();
    let flow = Flow::MirrorToDisk { directory: there.path().to_owned() };
    let run = working_dir(&flow);
    let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    run.replace_resources([file("a.yaml", "1"), file("b.yaml", "2")]).unwrap();
    let made = run.replace_resources([file("b.yaml", "3")]).unwrap();
    let names: Vec<_> =
        fs::read_dir(&made).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["b.yaml"]);
    assert_eq!(fs::read_to_string(made.join("b.yaml")).unwrap(), "3");
    let left = fs::read_dir(run.path()).unwrap().count();
    assert_eq!(left, 1, "what was staged is gone");
}

#[test]
fn nothing_is_written_beside_a_directory() {
    let there = tempfile::tempdir().unwrap();
    let absolute = there.path().join("escaped").display().to_string();
    for name in ["../escaped", "a/../../escaped", &absolute] {
        let path = there.path().join("out");
        let refused = replace_directory(&path, [(name.to_owned(), b"{}".to_vec())]);
        assert!(matches!(refused, Err(FileError::Write { .. })), "{name}");
        assert_eq!(fs::read_dir(there.path()).unwrap().count(), 0, "{name}");
    }
}

#[test]
fn what_cannot_be_written_is_named_with_advice() {
    let there = tempfile::tempdir().unwrap();
    let file = there.path().join("file");
    fs::write(&file, "").unwrap();
    let error = make_dir(&file.join("logs")).unwrap_err();
    assert!(error.to_string().starts_with("could not make the directory `/"), "{error}");
    assert_eq!(error.hint().unwrap(), "something that is not a directory is in the way");
    assert_eq!(read(&there.path().join("no")).unwrap_err().hint().unwrap(), "check the path");
}

#[test]
fn runs_of_one_second_have_logs_of_their_own() {
    let there = tempfile::tempdir().unwrap();
    let flow = Flow::MirrorToDisk { directory: there.path().to_owned() };
    for name in ["042607", "042607-2", "042607-3"] {
        let log = working_dir(&flow).log_file();
        assert_eq!(
            log.file_name().unwrap().to_str(),
            Some(&*format!("oc-mirror-20261121_{name}.log"))
        );
        write(&log, b"").unwrap();
    }
}
