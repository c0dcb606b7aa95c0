//! The reader against small packages made here, and against real ones where they are at hand.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::*;

type Cells = Vec<(String, Option<String>)>;

/// Keeps rows as strings: `sourcedId` and the carried cells.
#[derive(Default)]
struct Kept {
    rows: Vec<(FileKind, Cells)>,
    kind: Option<FileKind>,
}

impl RowSink for Kept {
    fn begin(&mut self, kind: FileKind, _: &[&'static Column]) -> Result<(), Stopped> {
        self.kind = Some(kind);
        Ok(())
    }
    fn row(&mut self, row: &Row<'_>) -> Result<(), Stopped> {
        let cells = row.cells().map(|(column, cell)| (column.name.to_owned(), cell.map(str::to_owned))).collect();
        self.rows.push((self.kind.unwrap(), cells));
        Ok(())
    }
    fn end(&mut self, _: FileKind) -> Result<(), Stopped> {
        Ok(())
    }
}

fn zip_of(files: &[(&str, &[u8])]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut zip = zip::ZipWriter::new(file.reopen().unwrap());
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    file
}

fn read(path: &Path) -> (Findings, Kept) {
    read_within(path, Limits::default())
}

fn read_within(path: &Path, limits: Limits) -> (Findings, Kept) {
    let mut findings = Findings::default();
    let mut kept = Kept::default();
    if let Some(mut package) = Package::open(path, "upload.zip", limits, &mut findings) {
        for kind in FileKind::ALL {
            package.read(kind, &mut findings, &mut kept).unwrap();
        }
    }
    (findings, kept)
}

fn rules(findings: &Findings) -> Vec<&'static str> {
    findings.list().iter().map(|finding| finding.rule).collect()
}

const MANIFEST: &[u8] = b"propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\nfile.orgs,bulk\n";

fn orgs(rows: &str) -> Vec<u8> {
    format!("sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n{rows}").into_bytes()
}

#[test]
fn a_nested_folder_a_byte_order_mark_and_crlf_are_read() {
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    bytes.extend(orgs("s1,,,\"Lake, North\",school,,\r\ns2,tobedeleted,,,,,\r\n"));
    let zip = zip_of(&[("set/manifest.csv", MANIFEST), ("set/orgs.csv", &bytes)]);
    let (findings, kept) = read(zip.path());
    assert_eq!(rules(&findings), Vec::<&str>::new());
    assert_eq!(kept.rows.len(), 2);
    assert_eq!(kept.rows[0].1[2], ("name".to_owned(), Some("Lake, North".to_owned())));
    assert_eq!(kept.rows[1].1[1], ("status".to_owned(), Some("t".to_owned())));
}

#[test]
fn what_is_not_one_roster_is_refused_by_name() {
    let school = zip_of(&[("School.csv", b"SIS ID,Name\n"), ("Section.csv", b"SIS ID\n")]);
    let (findings, _) = read(school.path());
    assert_eq!(rules(&findings), ["package.manifest_missing"]);
    assert!(findings.list()[0].hint.contains("School Data Sync"));

    let mut text = tempfile::NamedTempFile::new().unwrap();
    text.write_all(b"sourcedId,name\n1,2\n").unwrap();
    assert_eq!(rules(&read(text.path()).0), ["package.not_zip"]);

    let old = zip_of(&[("manifest.csv", b"propertyName,value\noneroster.version,1.0\n")]);
    assert_eq!(rules(&read(old.path()).0), ["manifest.version"]);

    let escape = zip_of(&[("manifest.csv", MANIFEST), ("../../etc/orgs.csv", b"x")]);
    assert_eq!(rules(&read(escape.path()).0), ["package.path"]);
}

#[test]
fn faults_name_line_column_and_value() {
    let body = orgs("s1,,,North,school,,\n,,,Nameless,school,,\ns3,,,Odd,\"sch\nool\",,\ns4,,,\"\",school,,\n");
    let zip = zip_of(&[("manifest.csv", MANIFEST), ("orgs.csv", &body)]);
    let (findings, kept) = read(zip.path());
    let found: Vec<_> = findings.list().iter().map(|f| (f.rule, f.line, f.column.as_str())).collect();
    assert_eq!(
        found,
        [("cell.missing", 3, "sourcedId"), ("cell.control_character", 4, "type"), ("enumeration.unknown", 4, "type"), ("cell.missing", 6, "name"),]
    );
    assert_eq!(kept.rows.len(), 3);
}

#[test]
fn lines_are_the_ones_an_editor_shows_whatever_ends_them() {
    // Line 2 is blank; line 3 lacks its sourcedId; lines 4 and 5 are one row; lines 6 and 7 are blank; line 8 lacks its
    // name; line 9, the last, lacks its type and has no line end.
    let rows = "\n,,,Nameless,school,,\ns3,,,\"Two\nlines\",school,,\n\n\ns8,,,,school,,\ns9,,,Nine,,,";
    let missing = [("cell.missing", 3, "sourcedId"), ("cell.control_character", 4, "name"), ("cell.missing", 8, "name"), ("cell.missing", 9, "type")];
    for end in ["\n", "\r\n", "\r"] {
        let body = String::from_utf8(orgs(rows)).unwrap().replace('\n', end);
        let zip = zip_of(&[("manifest.csv", MANIFEST), ("orgs.csv", body.as_bytes())]);
        let (findings, kept) = read(zip.path());
        let found: Vec<_> = findings.list().iter().map(|f| (f.rule, f.line, f.column.as_str())).collect();
        assert_eq!(found, missing, "{end:?}");
        assert_eq!(kept.rows.len(), 3, "{end:?}");
    }
    let mut body = orgs("s1,,,North,school,,\ns2,,,\"South,school,,\n");
    body.extend(std::iter::repeat_n(b"s3,,,East,school,,\n", 100_000).flatten());
    let body = String::from_utf8(body).unwrap().replace('\n', "\r\n");
    let zip = zip_of(&[("manifest.csv", MANIFEST), ("orgs.csv", body.as_bytes())]);
    let (findings, _) = read(zip.path());
    assert_eq!((findings.list()[0].rule, findings.list()[0].line), ("row.too_long", 3));
}

#[test]
fn bytes_that_are_not_utf_8_are_found_with_their_line() {
    let mut body = orgs("s1,,,North,school,,\n");
    body.extend(b"s2,,,Ca\xf1on,school,,\n");
    let zip = zip_of(&[("manifest.csv", MANIFEST), ("orgs.csv", &body)]);
    let (findings, _) = read(zip.path());
    assert_eq!((findings.list()[0].rule, findings.list()[0].line), ("encoding.invalid_utf8", 3));
}

#[test]
fn a_quote_that_never_closes_stops_early() {
    let mut body = orgs("s1,,,\"North,school,,\n");
    body.extend(std::iter::repeat_n(b"s2,,,South,school,,\n", 100_000).flatten());
    let zip = zip_of(&[("manifest.csv", MANIFEST), ("orgs.csv", &body)]);
    let (findings, kept) = read(zip.path());
    assert_eq!(rules(&findings), ["row.too_long"]);
    assert_eq!(findings.list()[0].line, 2);
    assert!(kept.rows.is_empty());
}

#[test]
fn what_unpacks_to_too_much_is_refused() {
    let body = orgs(&"s2,,,South,school,,\n".repeat(100_000));
    let zip = zip_of(&[("manifest.csv", MANIFEST), ("orgs.csv", &body)]);
    let limits = Limits { unpacked_bytes: 100_000, ..Limits::default() };
    assert_eq!(rules(&read_within(zip.path(), limits).0), ["package.too_large"]);
}

#[test]
fn missing_and_misnamed_columns_are_told_apart() {
    let body = b"SourcedId,name,identifier\ns1,North,7\n";
    let zip = zip_of(&[("manifest.csv", MANIFEST), ("orgs.csv", body)]);
    let (findings, kept) = read(zip.path());
    assert_eq!(rules(&findings), ["header.name", "header.missing_column"]);
    assert_eq!(findings.list()[1].column, "type");
    assert!(kept.rows.is_empty());
}

#[test]
fn a_password_is_never_handed_on_or_quoted() {
    let manifest = b"propertyName,value\noneroster.version,1.1\nfile.users,bulk\n";
    let body = b"sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,\
        familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password\n\
        u1,,,true,s1,student,u1,,Ann,Marker,,,,,,,09,\"open\nsesame\"\n";
    let zip = zip_of(&[("manifest.csv", manifest), ("users.csv", body)]);
    let (findings, kept) = read(zip.path());
    assert!(!format!("{:?}{:?}", findings.list(), kept.rows).contains("sesame"));
    assert_eq!(kept.rows.len(), 1);
}

#[test]
fn the_manifest_and_the_files_must_agree() {
    let manifest = b"propertyName,value\noneroster.version,1.2\nfile.users,bulk\nfile.orgs,absent\nfile.roles,\n";
    let zip = zip_of(&[("manifest.csv", manifest), ("orgs.csv", &orgs(""))]);
    let (findings, _) = read(zip.path());
    let mut found = rules(&findings);
    found.sort_unstable();
    assert_eq!(found, ["manifest.file_missing", "manifest.file_present", "manifest.value_blank"]);
}

fn real(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/oneroster").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: the real sets are not at hand");
    None
}

#[test]
fn the_full_moodle_set_is_read_with_warnings_only() {
    let Some(path) = real("moodle-enrol/zips/Test_full_data_set.zip") else {
        return;
    };
    let (findings, kept) = read(&path);
    assert!(!findings.has_errors(), "{:?}", findings.list());
    assert_eq!(kept.rows.len(), 1 + 5 + 2 + 6 + 6);
    assert!(rules(&findings).contains(&"enumeration.case"));
}

#[test]
fn sets_without_a_zip_are_read_or_refused_with_reasons() {
    for (folder, refused) in
        [("oat-v1p1", None), ("ms-sds/SDS v2.1", Some("package.manifest_missing")), ("nicelion-mocker/outputs", Some("package.manifest_missing"))]
    {
        let Some(path) = real(folder) else { return };
        let names: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        let bytes: Vec<_> = names.iter().map(|path| std::fs::read(path).unwrap()).collect();
        let files: Vec<_> = names.iter().zip(&bytes).map(|(path, bytes)| (path.file_name().unwrap().to_str().unwrap(), bytes.as_slice())).collect();
        let zip = zip_of(&files);
        let (findings, _) = read(zip.path());
        match refused {
            Some(rule) => assert_eq!(rules(&findings), [rule], "{folder}"),
            None => assert!(!findings.has_errors(), "{folder}: {:?}", findings.list()),
        }
    }
}

#[test]
fn no_bytes_make_the_reader_panic() {
    let good = zip_of(&[("manifest.csv", MANIFEST), ("orgs.csv", &orgs("s1,,,North,school,,\n"))]);
    let bytes = std::fs::read(good.path()).unwrap();
    for at in 0..bytes.len() {
        for value in [0u8, 0xff, bytes[at] ^ 1] {
            let mut broken = bytes.clone();
            broken[at] = value;
            let file = tempfile::NamedTempFile::new().unwrap();
            File::create(file.path()).unwrap().write_all(&broken).unwrap();
            let _ = read(file.path());
        }
    }
}
