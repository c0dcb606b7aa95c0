//! What an import does to what we hold.

use chassis_pg::testing::database;
use rosters::MIGRATIONS;
use rosters::import::entity::State;

use crate::package::{Package, command, import, import_as, number};

#[tokio::test]
async fn a_first_import_brings_everybody_and_tells_the_others() {
    let pool = database(&MIGRATIONS).await;
    let (run, issues) = import(&pool, &Package::small()).await;
    assert_eq!((run.state, issues.len()), (State::Applied, 0), "{issues:?}");
    assert_eq!(number(&pool, "select count(*) from rosters.person").await, 5);
    assert_eq!(number(&pool, "select count(*) from rosters.guardian_link").await, 1);
    assert_eq!(number(&pool, "select count(*) from rosters.class_section where review_unit").await, 1);
    assert_eq!(number(&pool, "select count(*) from rosters.staff_role where role = 'coordinator'").await, 1);
    assert_eq!(number(&pool, "select count(*) from rosters.demographics").await, 1);
    // Two students, two classes, two members of staff.
    assert_eq!(number(&pool, "select count(*) from rosters.outbox").await, 6);
    let users = run.files.iter().find(|file| file.file == "users.csv").unwrap();
    assert_eq!((users.rows, users.added, users.unchanged), (5, 5, 0));
    assert_eq!(number(&pool, "select count(*) from rosters.stage_user").await, 0);
}

#[tokio::test]
async fn the_same_package_again_changes_nothing() {
    let pool = database(&MIGRATIONS).await;
    import(&pool, &Package::small()).await;
    sqlx::query("delete from rosters.outbox").execute(&pool).await.unwrap();
    let (run, _) = import(&pool, &Package::small()).await;
    assert_eq!(run.state, State::Applied);
    for file in &run.files {
        assert_eq!((file.added, file.changed, file.missing, file.unchanged), (0, 0, 0, file.rows), "{}", file.file);
    }
    assert_eq!(number(&pool, "select count(*) from rosters.outbox").await, 0);
}

#[tokio::test]
async fn repeating_a_request_answers_the_same_run() {
    let pool = database(&MIGRATIONS).await;
    let zip = Package::small().zip();
    let command = command(zip.path());
    let (first, _) = import_as(&pool, command.clone()).await;
    let (second, _) = import_as(&pool, command).await;
    assert_eq!(first.id, second.id);
    assert_eq!(number(&pool, "select count(*) from rosters.import_run").await, 1);
}

#[tokio::test]
async fn a_dry_run_finds_the_same_and_writes_nothing() {
    let pool = database(&MIGRATIONS).await;
    let zip = Package::small().zip();
    let mut dry = command(zip.path());
    dry.dry_run = true;
    let (run, _) = import_as(&pool, dry).await;
    assert_eq!(run.state, State::Checked);
    assert_eq!(run.files.iter().find(|file| file.file == "users.csv").unwrap().added, 5);
    assert_eq!(number(&pool, "select count(*) from rosters.person").await, 0);
    assert_eq!(number(&pool, "select count(*) from rosters.outbox").await, 0);
}

#[tokio::test]
async fn errors_refuse_the_whole_package() {
    let pool = database(&MIGRATIONS).await;
    import(&pool, &Package::small()).await;
    let bad =
        Package::small().with("enrollments", "e2,,,k1,s1,u1", "e2,,,k1,s1,nobody").with("enrollments", "e3,,,k1", "e2,,,k9").with("users", "José", "Joseph");
    let (run, issues) = import(&pool, &bad).await;
    assert_eq!(run.state, State::Refused);
    assert_eq!(issues[0].rule, "source_id.duplicate");
    let (run, issues) = import(&pool, &bad.with("enrollments", "e2,,,k9", "e3,,,k9")).await;
    assert_eq!(run.state, State::Refused);
    let found: Vec<_> = issues.iter().map(|i| (i.rule.as_str(), i.line, i.column_name.as_str(), i.value.as_str())).collect();
    assert_eq!(found, [("reference.missing", 3, "userSourcedId", "nobody"), ("reference.missing", 4, "classSourcedId", "k9")]);
    assert_eq!(number(&pool, "select count(*) from rosters.person where given_name = 'José'").await, 1);
}

#[tokio::test]
async fn one_bad_word_in_every_row_takes_nobody_off_the_roster() {
    let pool = database(&MIGRATIONS).await;
    import(&pool, &Package::small()).await;
    let (run, issues) = import(&pool, &Package::small().with("roles", "primary,student", "primary,studnet")).await;
    assert_eq!(run.state, State::Refused);
    assert_eq!((issues[0].rule.as_str(), issues[0].column_name.as_str(), issues[0].occurrences), ("enumeration.unknown", "role", 2));
    assert_eq!(number(&pool, "select count(*) from rosters.student_state where active").await, 2);
}

#[tokio::test]
async fn changes_and_departures_reach_the_others_once() {
    let pool = database(&MIGRATIONS).await;
    import(&pool, &Package::small()).await;
    sqlx::query("delete from rosters.outbox").execute(&pool).await.unwrap();
    let next = Package::small().with("users", "Ann,De la Cruz,,1002,,,,,04", "Ann,De la Cruz,,1002,,,,,05").with(
        "enrollments",
        "e2,,,k1,s1,u1,student,false,2020-08-01,2099-06-30\n",
        "",
    );
    let (run, _) = import(&pool, &next).await;
    assert_eq!(run.state, State::Applied);
    // One changed grade, one left class.
    assert_eq!(number(&pool, "select count(*) from rosters.outbox").await, 2);
    assert_eq!(number(&pool, "select count(*) from rosters.class_member where missing_since is not null").await, 1);
    assert_eq!(number(&pool, "select count(*) from rosters.student_state where version = 2").await, 2);
    // Back again.
    let (run, _) = import(&pool, &Package::small()).await;
    let enrollments = run.files.iter().find(|file| file.file == "enrollments.csv").unwrap();
    assert_eq!((enrollments.changed, enrollments.added), (1, 0));
}

#[tokio::test]
async fn a_school_that_would_empty_waits_for_a_yes() {
    let pool = database(&MIGRATIONS).await;
    import(&pool, &Package::small()).await;
    let mut empty = Package::small();
    for (file, rows) in [("users", ["u1,", "u2,"].as_slice()), ("roles", &["r3,", "r4,"]), ("enrollments", &["e2,", "e3,"]), ("demographics", &["u1,"])] {
        let text = empty.files.get_mut(file).unwrap();
        *text = text.lines().filter(|line| !rows.iter().any(|row| line.starts_with(row))).map(|line| format!("{line}\n")).collect();
    }
    let (run, issues) = import(&pool, &empty).await;
    assert_eq!((run.state, issues[0].rule.as_str()), (State::NeedsApproval, "guard.students_missing"));
    assert_eq!(number(&pool, "select count(*) from rosters.person where missing_since is not null").await, 0);
    let zip = empty.zip();
    let mut yes = command(zip.path());
    yes.accept_changes = true;
    let (run, _) = import_as(&pool, yes).await;
    assert_eq!(run.state, State::Applied);
    assert_eq!(number(&pool, "select count(*) from rosters.person where missing_since is not null and active").await, 2);
    assert_eq!(number(&pool, "select count(*) from rosters.student_state where active and class_ids = '{}'").await, 2);
}

#[tokio::test]
async fn a_delta_adds_changes_and_deletes_what_it_names() {
    let pool = database(&MIGRATIONS).await;
    import(&pool, &Package::small()).await;
    let at = "2026-10-01T00:00:00Z";
    let user = format!("u3,active,{at},true,u3,,Noor,Haddad,,1003,,,,,04,,,,,,,s1,\nu2,tobedeleted,{at},,,,,,,,,,,,,,,,,,,,");
    let role = format!("r6,active,{at},u3,primary,student,,,s1,\nr2,tobedeleted,{at},q1,primary,counselor,,,s1,");
    let enrollment = format!("e4,active,{at},k1,s1,u3,student,false,,\ne2,tobedeleted,{at},k1,s1,u1,student,false,,");
    let delta = Package::small().delta(&[("users", &user), ("roles", &role), ("enrollments", &enrollment)]);
    let (run, issues) = import(&pool, &delta).await;
    assert_eq!(run.state, State::Applied, "{issues:?}");
    assert_eq!(number(&pool, "select count(*) from rosters.student_state where active").await, 2);
    assert_eq!(number(&pool, "select count(*) from rosters.class_member where missing_since is null and role = 'student'").await, 2);
    assert_eq!(number(&pool, "select count(*) from rosters.staff_role where role = 'coordinator'").await, 0);
    assert_eq!(number(&pool, "select count(*) from rosters.staff_role").await, 1);
}

#[tokio::test]
async fn imports_do_not_overlap() {
    let pool = database(&MIGRATIONS).await;
    let held = chassis_pg::lock::try_hold(&pool, "import rosters").await.unwrap().unwrap();
    let zip = Package::small().zip();
    let (tell, _told) = tokio::sync::mpsc::channel(1);
    let refused = crate::package::imports(&pool).run(command(zip.path()), tell).await;
    assert!(matches!(refused, Err(rosters::import::error::ImportError::Busy)));
    held.release().await;
}

#[tokio::test]
async fn a_run_that_was_cut_off_is_ended_by_the_next() {
    let pool = database(&MIGRATIONS).await;
    sqlx::query(
        "insert into rosters.import_run (import_run_id, state, dry_run, source_name, caller, request_id, started_at)
         values (gen_random_uuid(), 'validating', false, 'x.zip', 'clerk', gen_random_uuid(), now())",
    )
    .execute(&pool)
    .await
    .unwrap();
    import(&pool, &Package::small()).await;
    assert_eq!(number(&pool, "select count(*) from rosters.import_issue where rule = 'import.interrupted'").await, 1);
    assert_eq!(number(&pool, "select count(*) from rosters.import_run where state = 'validating'").await, 0);
}

#[tokio::test]
async fn who_stays_missing_leaves_after_the_grace_period() {
    let pool = database(&MIGRATIONS).await;
    import(&pool, &Package::small()).await;
    sqlx::query("update rosters.person set missing_since = now() - interval '20 days' where display_name like 'Ann%'").execute(&pool).await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    assert_eq!(rosters::standing::let_go(&mut tx, 30).await.unwrap(), 0);
    assert_eq!(rosters::standing::let_go(&mut tx, 14).await.unwrap(), 1);
    let published = rosters::standing::refresh(&mut tx, &mut |_| {}).await.unwrap();
    assert_eq!(published.students, 1);
    tx.commit().await.unwrap();
    assert_eq!(number(&pool, "select count(*) from rosters.student_state where not active and school_ids = '{}'").await, 1);
}

#[tokio::test]
async fn no_name_is_in_an_event() {
    let pool = database(&MIGRATIONS).await;
    import(&pool, &Package::small().with("users", "De la Cruz", "Markername").with("orgs", "North School", "Markerschool")).await;
    assert_eq!(number(&pool, "select count(*) from rosters.outbox where encode(payload, 'escape') like '%Marker%' or headers::text like '%Marker%'").await, 0);
}

#[tokio::test]
async fn a_school_without_homerooms_reviews_its_scheduled_classes() {
    let pool = database(&MIGRATIONS).await;
    import(&pool, &Package::small().with("classes", "homeroom", "scheduled")).await;
    assert_eq!(number(&pool, "select count(*) from rosters.class_state where review_unit").await, 2);
    import(&pool, &Package::small()).await;
    assert_eq!(number(&pool, "select count(*) from rosters.class_state where review_unit").await, 1);
}
